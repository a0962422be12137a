#include "server/listener.hpp"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <string>
#include <thread>

#include "server/listener_source.hpp"
#include "server/server.hpp"
#include "server/testing/client.hpp"

namespace muxlab {
namespace {

using test::Client;
using test::eventually;

std::string address_of(const UniqueFd& listener) {
  return "127.0.0.1:" + std::to_string(port_of(listener.get()));
}

bool readable(int fd, int timeout_ms = 10'000) {
  pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, timeout_ms) == 1;
}

std::string message_of(const ListenAddress& address) {
  try {
    listen_on(address, false);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

TEST(Listener, AcceptedSocketsInheritNoDelayAndAreNonBlockingAndCloseOnExec) {
  WorkerStats stats;
  UniqueFd listener = listen_on({.host = "127.0.0.1"}, false);
  const std::string address = address_of(listener);
  Admission admission(1000, 1000, WhenFull::wait);
  ListenerSource source(std::move(listener), admission, stats);
  const Client client(address);
  ASSERT_TRUE(readable(source.fd()));
  const Taken socket = source.take();
  ASSERT_TRUE(socket);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  ::getsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  EXPECT_EQ(no_delay, 1);
  EXPECT_NE(::fcntl(socket->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(socket->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(source.take());
}

TEST(Listener, ABusyPortIsNamedWithItsCure) {
  const UniqueFd first = listen_on({.host = "127.0.0.1"}, false);
  const std::string message =
      message_of({.host = "127.0.0.1", .port = port_of(first.get()), .unix_path = {}});
  EXPECT_NE(message.find(address_of(first) + " is busy"), std::string::npos) << message;
  EXPECT_NE(message.find("--port"), std::string::npos) << message;
}

TEST(Listener, SharesAPortOnlyWhenAsked) {
  const UniqueFd first = listen_on({.host = "127.0.0.1"}, true);
  const ListenAddress same{.host = "127.0.0.1", .port = port_of(first.get()), .unix_path = {}};
  EXPECT_EQ(port_of(listen_on(same, true).get()), same.port);
  EXPECT_NE(message_of(same), "");
}

TEST(Listener, ReplacesAnAbandonedUnixSocketButNotALiveOne) {
  const std::string path =
      testing::TempDir() + "/muxlab-listener-test-" + std::to_string(::getpid());
  const ListenAddress address{.host = "", .port = 0, .unix_path = path};
  UniqueFd listener = listen_on(address, false);
  EXPECT_NE(message_of(address).find("is busy"), std::string::npos);
  listener.reset();
  EXPECT_EQ(message_of(address), "") << "its server has ended";
  ::unlink(path.c_str());
}

TEST(Listener, DoesNotTouchAFileThatIsNoSocket) {
  const std::string path =
      testing::TempDir() + "/muxlab-listener-file-" + std::to_string(::getpid());
  { const UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); }
  EXPECT_NE(message_of({.host = "", .port = 0, .unix_path = path}), "");
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISREG(status.st_mode));
  ::unlink(path.c_str());
}

TEST(Listener, RejectsPathsAndHostsThatCannotBe) {
  EXPECT_NE(message_of({.host = "", .port = 0, .unix_path = std::string(200, 'x')}).find("107"),
            std::string::npos);
  EXPECT_NE(message_of({.host = "", .port = 0, .unix_path = ""}), "");
  EXPECT_NE(message_of({.host = "no.such.host.invalid"}).find("--host"), std::string::npos);
}

TEST(ListenerSource, RefusesDescriptorsBeyondItsBound) {
  WorkerStats stats;
  UniqueFd listener = listen_on({.host = "127.0.0.1"}, false);
  const std::string address = address_of(listener);
  Admission admission(1000, 2, WhenFull::wait);
  ListenerSource source(std::move(listener), admission, stats);
  const Client client(address);
  ASSERT_TRUE(readable(source.fd()));
  EXPECT_FALSE(source.take());
  EXPECT_EQ(stats.refused.get(), 1U);
  EXPECT_TRUE(client.is_cut_off());
}

/// A listener that stays readable although accept4() fails would make every loop spin.
TEST(ListenerSource, PausesWhenDescriptorsRunOutAndStrandsNobody) {
  WorkerStats stats;
  UniqueFd listener = listen_on({.host = "127.0.0.1"}, false);
  const std::string address = address_of(listener);
  Admission admission(1000, 1 << 20, WhenFull::wait);
  ListenerSource source(std::move(listener), admission, stats);
  const Client client(address);
  ASSERT_TRUE(readable(source.fd()));

  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit exhausted{.rlim_cur = 0, .rlim_max = limit.rlim_max};
  const int listening = source.fd();
  ::setrlimit(RLIMIT_NOFILE, &exhausted);
  EXPECT_FALSE(source.take());
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_NE(source.fd(), listening) << "the source waits for a timer now";

  ASSERT_TRUE(eventually([&] { return readable(source.fd()) && source.take(); }));
  EXPECT_EQ(source.fd(), listening);
}

TEST(ListenerSource, LeavesConnectionsInTheBacklogUntilThereIsAPlace) {
  WorkerStats stats;
  UniqueFd listener = listen_on({.host = "127.0.0.1"}, false);
  const std::string address = address_of(listener);
  Admission admission(1, 1 << 20, WhenFull::wait);
  ListenerSource source(std::move(listener), admission, stats);
  const Client first(address);
  const Client second(address);
  ASSERT_TRUE(readable(source.fd()));
  ASSERT_TRUE(source.take());
  EXPECT_FALSE(source.take());
  source.give_back();
  EXPECT_TRUE(eventually([&] { return readable(source.fd()) && source.take(); }));
  EXPECT_EQ(stats.refused.get(), 0U);
}

TEST(ListenerSource, RefusesWhenFullIfAskedTo) {
  WorkerStats stats;
  UniqueFd listener = listen_on({.host = "127.0.0.1"}, false);
  const std::string address = address_of(listener);
  Admission admission(1, 1 << 20, WhenFull::refuse);
  ListenerSource source(std::move(listener), admission, stats);
  const Client first(address);
  const Client second(address);
  ASSERT_TRUE(readable(source.fd()));
  ASSERT_TRUE(source.take());
  EXPECT_FALSE(source.take());
  EXPECT_EQ(stats.refused.get(), 1U);
  EXPECT_TRUE(second.is_cut_off());
  source.give_back();
  const Client third(address);
  ASSERT_TRUE(readable(source.fd()));
  EXPECT_TRUE(source.take()) << "an accept without a connection must not keep its place";
}

TEST(MostConnections, AreBoundedByDescriptorsAndByTheBackend) {
  Availability available;
  const std::uint64_t reserved = descriptors_beside_connections(2);
  EXPECT_EQ(most_connections(available, 1000, 2), 1000 - reserved);
  available.max_connections = 50;
  EXPECT_EQ(most_connections(available, 1000, 2), 50U);
  available.max_descriptor = 60;
  EXPECT_EQ(most_connections(available, 1000, 2), 61 - reserved);
  available.works = false;
  EXPECT_EQ(most_connections(available, 1000, 2), 0U);
}

TEST(Admission, GivesOutEachPlaceOnce) {
  constexpr int kPlaces = 100;
  Admission admission(kPlaces, 0, WhenFull::wait);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  const auto visit = [&] {
    for (int i = 0; i < 100'000; ++i) {
      if (!admission.enter()) continue;
      const int now = ++inside;
      for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
      }
      --inside;
      admission.leave();
    }
  };
  std::vector<int> taken;
  for (int i = 0; i < kPlaces - 1; ++i) ASSERT_TRUE(admission.enter());
  std::thread other(visit);
  visit();
  other.join();
  EXPECT_EQ(most, 1);
  EXPECT_TRUE(admission.enter());
  EXPECT_FALSE(admission.enter());
}

}  // namespace
}  // namespace muxlab
