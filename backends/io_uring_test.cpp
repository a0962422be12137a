#include "backends/io_uring.hpp"

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "backends/given_sockets.hpp"
#include "backends/io_uring_features.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"
#include "backends/ring.hpp"

/// Tests of rings, or their contents, that are too small or are gone early.
namespace muxlab {
namespace {

using test::event;
using test::GivenSockets;

/// Runs the loop on a thread of its own.
class Loop {
 public:
  /// `asking` clients have sent a byte before the loop starts.
  explicit Loop(const RingOptions& ring, int asking = 0) {
    options_.drain = std::chrono::seconds(0);
    for (int i = 0; i < asking; ++i) {
      clients.push_back(source.give());
      EXPECT_EQ(::send(clients.back().get(), "?", 1, 0), 1);
    }
    thread_ = std::thread([this, ring] {
      Worker worker{.source = source, .stop = stop_.get(), .options = options_, .stats = stats};
      try {
        serve_with_ring(worker, ring);
      } catch (const std::system_error& error) {
        failed_with = error.code().value();
      }
    });
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { end(); }

  void end() {
    notify(stop_.get());
    wait();
  }
  void wait() {
    if (thread_.joinable()) thread_.join();
  }

  GivenSockets source;
  std::vector<UniqueFd> clients;
  WorkerStats stats;
  int failed_with = 0;

 private:
  ServeOptions options_;
  UniqueFd stop_ = event();
  std::thread thread_;
};

std::string text_of(std::size_t size, std::size_t seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 7 + seed) % 251);
  return text;
}

/// Expects all bytes back that a thread for each client sends in one go.
void expect_all_echoed(const RingOptions& ring, int clients, std::size_t size) {
  Loop loop(ring);
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&loop, size, i] {
      const UniqueFd client = loop.source.give();
      const std::string sent = text_of(size, static_cast<std::size_t>(i));
      std::thread sender([&] {
        for (std::size_t done = 0; done < sent.size();) {
          const ssize_t n = ::send(client.get(), sent.data() + done, sent.size() - done, 0);
          if (n <= 0) break;
          done += static_cast<std::size_t>(n);
        }
        ::shutdown(client.get(), SHUT_WR);
      });
      std::string received(size + 1, '\0');
      const ssize_t got = ::recv(client.get(), received.data(), received.size(), MSG_WAITALL);
      sender.join();
      received.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      EXPECT_TRUE(received == sent) << "client " << i << " got " << got << " bytes";
    });
  }
  for (std::thread& thread : threads) thread.join();
  loop.end();
  EXPECT_EQ(loop.failed_with, 0);
  EXPECT_EQ(loop.stats.closed.get(), static_cast<std::uint64_t>(clients));
  EXPECT_EQ(loop.stats.bytes_in.get(), loop.stats.bytes_out.get());
}

/// Returns the ids of the buffers that complete so many receives in turn, each of a byte.
std::set<BufferRing::Id> used_by(BufferRing& buffers, Ring& ring, int receives) {
  int ends[2];
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
  const UniqueFd client(ends[0]), server(ends[1]);
  std::set<BufferRing::Id> used;
  for (int i = 0; i < receives; ++i) {
    EXPECT_EQ(::send(client.get(), "?", 1, 0), 1);
    io_uring_sqe* const entry = ring.entry();
    io_uring_prep_recv(entry, server.get(), nullptr, 0, 0);
    BufferRing::pick_for(*entry);
    entry->user_data = 0;
    ring.submit_and_wait();
    EXPECT_EQ(ring.completion(0).res, 1);
    const BufferRing::Id id = buffers.take(ring.completion(0));
    used.insert(id);
    buffers.give_back(id);
    buffers.publish();
    ring.seen(1);
  }
  return used;
}

/// Runs on its own thread, because the end of a ring may interrupt a later call of its thread.
TEST(BufferRing, UsesNoMoreBuffersThanItHasTo) {
  std::thread([] {
    BufferRing buffers(16, 4096);
    Ring ring(4, 8);
    buffers.offer_to(ring, 3);
    EXPECT_EQ(used_by(buffers, ring, 40).size(), 3U);
    buffers.add_more();
    EXPECT_EQ(used_by(buffers, ring, 40).size(), 6U);
    for (int i = 0; i < 5; ++i) buffers.add_more();  // there are no more than 16
    EXPECT_EQ(buffers.free(), 16U);
    EXPECT_EQ(used_by(buffers, ring, 40).size(), 16U);
  }).join();
}

TEST(IoUring, LosesNothingWhenItRunsOutOfBuffers) {
  expect_all_echoed({.first_buffers = 1}, 30, 200'000);
  expect_all_echoed({.buffers = 1}, 30, 200'000);
  expect_all_echoed({.buffers = 2}, 30, 200'000);
}

/// A successful send posts no completion, so none reports that its buffer is free. Without
/// poll-first, a receive that finds no buffer completes at once and wakes the loop. With poll-first
/// the loop has to check again by itself.
TEST(IoUring, ServesMoreClientsThanItHasBuffers) {
  for (const bool polls_first : {false, true}) {
    const Loop loop({.buffers = 1, .polls_first = polls_first}, 30);
    for (const UniqueFd& client : loop.clients) {
      const timeval enough{.tv_sec = 20, .tv_usec = 0};
      ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &enough, sizeof enough);
      char echo = 0;
      ASSERT_EQ(::recv(client.get(), &echo, 1, 0), 1) << polls_first;
    }
  }
}

TEST(IoUring, LosesNothingWhenItsRingsAreFull) {
  expect_all_echoed({.submissions = 2, .completions = 4}, 30, 200'000);
  expect_all_echoed({.submissions = 4, .completions = 8, .buffers = 4}, 30, 200'000);
  expect_all_echoed({.submissions = 2, .completions = 4, .buffers = 1}, 30, 200'000);
}

TEST(IoUring, MayPollFirst) {
  expect_all_echoed({.polls_first = true}, 30, 200'000);
  expect_all_echoed({.submissions = 2, .completions = 4, .buffers = 2, .polls_first = true}, 30,
                    200'000);
}

/// Makes two ends of a TCP connection, whose small packets leave at once.
std::pair<UniqueFd, UniqueFd> tcp_pair() {
  const auto tcp = [] {
    UniqueFd fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const int on = 1;  // accepted sockets inherit it
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  };
  const UniqueFd listener = tcp();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  checked(::bind(listener.get(), any, size), "bind");
  checked(::listen(listener.get(), 1), "listen");
  checked(::getsockname(listener.get(), any, &size), "getsockname");
  UniqueFd client = tcp();
  checked(::connect(client.get(), any, size), "connect");
  UniqueFd server(checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
  return {std::move(client), std::move(server)};
}

/// Returns the number of packets that return `rounds` messages of four buffers each.
std::uint32_t packets_of(const RingOptions& ring, int rounds) {
  Loop loop(ring);
  auto [client, server] = tcp_pair();
  loop.source.give(std::move(server));
  const std::string sent = text_of(4 * kBufferSize, 1);
  std::string received(sent.size(), '\0');
  for (int round = 0; round < rounds; ++round) {
    EXPECT_EQ(::send(client.get(), sent.data(), sent.size(), 0), std::ssize(sent));
    EXPECT_EQ(::recv(client.get(), received.data(), received.size(), MSG_WAITALL),
              std::ssize(sent));
    EXPECT_TRUE(received == sent);
  }
  tcp_info info{};
  socklen_t size = sizeof info;
  checked(::getsockopt(client.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "getsockopt");
  return info.tcpi_data_segs_in;
}

TEST(IoUring, SendsThePiecesOfAMessageTogether) {
  constexpr int kRounds = 20;
  EXPECT_LT(packets_of({}, kRounds), 4U * kRounds);
  EXPECT_GE(packets_of({.more = 0}, kRounds), 4U * kRounds);
}

TEST(IoUring, HoldsOneBufferForAClientThatNeverReads) {
  for (const std::size_t size : {kBufferSize, 4 * kBufferSize}) {
    Loop loop({.receive_size = size});
    const UniqueFd client = loop.source.give();
    const std::string much = text_of(8'000'000, 1);
    const timeval enough{.tv_sec = 0, .tv_usec = 300'000};  // until the server takes no more
    ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &enough, sizeof enough);
    EXPECT_LT(::send(client.get(), much.data(), much.size(), 0), 8'000'000);
    loop.end();
    EXPECT_LE(loop.stats.bytes_in.get() - loop.stats.bytes_out.get(), size);
  }
}

TEST(IoUring, MayEndWithRequestsOnTheirWay) {
  for (int round = 0; round < 20; ++round) {
    std::vector<UniqueFd> clients;
    Loop loop({});
    const std::string much = text_of(1'000'000, 1);
    for (int i = 0; i < 20; ++i) clients.push_back(loop.source.give());
    for (std::size_t i = 0; i < clients.size(); ++i) {  // some wait to receive, some to send
      ::send(clients[i].get(), much.data(), i % 2 == 0 ? 1 : much.size(), MSG_DONTWAIT);
    }
    loop.source.break_down();
    loop.wait();
    EXPECT_EQ(loop.failed_with, EBADF);
    // The kernel must not write into memory of requests that it still had, when more bytes arrive.
    for (const UniqueFd& client : clients) {
      ::send(client.get(), much.data(), 1000, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  }
}

TEST(IoUring, SaysWhyThereIsNoRing) {
  const std::string root = testing::TempDir() + "/muxlab-ring-root";
  std::filesystem::create_directories(root + "/proc/sys/kernel");
  const auto reason = [&](int error, int disabled) {
    std::ofstream(root + "/proc/sys/kernel/io_uring_disabled") << disabled << "\n";
    const Availability found = why_no_ring(error, root);
    EXPECT_FALSE(found.works);
    return found.reason + "; " + found.fix;
  };
  EXPECT_NE(reason(EPERM, 2).find("kernel.io_uring_disabled is 2"), std::string::npos);
  EXPECT_NE(reason(EPERM, 2).find("sysctl kernel.io_uring_disabled=0"), std::string::npos);
  EXPECT_NE(reason(EPERM, 1).find("kernel.io_uring_group"), std::string::npos);
  EXPECT_NE(reason(EPERM, 0).find("seccomp"), std::string::npos);
  EXPECT_NE(reason(ENOSYS, 0).find("Linux 6.1"), std::string::npos);
  EXPECT_NE(reason(EINVAL, 0).find("DEFER_TASKRUN"), std::string::npos);
  EXPECT_NE(reason(ENOMEM, 0).find("ulimit -l"), std::string::npos);
  EXPECT_NE(reason(EMFILE, 0).find("ulimit -n"), std::string::npos);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace muxlab
