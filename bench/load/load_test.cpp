#include "bench/load/load.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "bench/load/connections.hpp"
#include "bench/load/testing.hpp"
#include "server/testing/namespace.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::Connections;
using test::EchoServer;
using test::Fault;
using test::name_of;
using test::short_run;

void expect_all_is_well(const LoadReport& report, const LoadOptions& options) {
  const LoadTally& tally = report.tally;
  EXPECT_FALSE(report.interrupted);
  EXPECT_THAT(why_not_trusted(options, report), testing::IsEmpty());
  EXPECT_EQ(tally.errors.total(), 0U) << tally.first_error;
  EXPECT_EQ(tally.established, options.connections + options.idle);
  EXPECT_GE(tally.latency_ns.count(), tally.echoes);
  EXPECT_LE(tally.latency_ns.count(), tally.echoes + options.connections * options.depth)
      << "with the messages in flight at the end";
  EXPECT_GE(report.window, options.duration);
  EXPECT_GT(report.client_cpu.count(), 0);
  EXPECT_EQ(tally.bytes_missing, 0U);
  EXPECT_EQ(tally.bytes_sent, tally.bytes_received);
  EXPECT_EQ((tally.bytes_sent - options.idle) % options.size_bytes, 0U);
  EXPECT_GE(tally.bytes_sent, options.connections * (1 + options.depth) * options.size_bytes);
}

struct Shape {
  std::uint64_t size_bytes;
  std::uint64_t depth;
};

using LoadOfShape = test::CaseOnEachEngine<Shape>;

TEST_P(LoadOfShape, IsEchoedVerifiedAndCountedCompletely) {
  const Shape& shape = which();
  const EchoServer server({.in_odd_chunks = true});
  LoadOptions options = short_run(server.address(), engine());
  options.size_bytes = shape.size_bytes;
  options.depth = shape.depth;
  options.idle = 2;
  expect_all_is_well(run_load(options), options);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LoadOfShape,
                         testing::Combine(test::kEngines,
                                          testing::Values(Shape{1, 1}, Shape{1, 8}, Shape{64, 1},
                                                          Shape{64, 8}, Shape{64, 1024},
                                                          Shape{65'536, 1}, Shape{65'536, 8},
                                                          Shape{1 << 20, 1}, Shape{1 << 20, 8})),
                         [](const auto& test) {
                           const Shape& shape = std::get<1>(test.param);
                           return name_of(std::get<0>(test.param)) + "_" +
                                  std::to_string(shape.size_bytes) + "_bytes_depth_" +
                                  std::to_string(shape.depth);
                         });

class LoadOn : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadOn, test::kEngines, test::OnEachEngine::name);

TEST_P(LoadOn, SpreadsItsConnectionsOverItsThreads) {
  const EchoServer server;
  LoadOptions options = short_run(server.address(), GetParam());
  options.connections = 7;
  options.idle = 4;
  options.threads = 3;
  expect_all_is_well(run_load(options), options);
}

TEST_P(LoadOn, SpeaksIpv6) {
  if (const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)); !socket) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  const EchoServer server({.host = "::1"});
  const LoadOptions options = short_run(server.address(), GetParam());
  expect_all_is_well(run_load(options), options);
}

TEST_P(LoadOn, WaitsForAUnixServerWhoseBacklogIsFull) {
  const EchoServer server(
      {.backlog = 1,
       .unix_path = testing::TempDir() + "muxlab-load-" + std::to_string(::getpid())});
  LoadOptions options = short_run(server.address(), GetParam());
  options.connections = 50;
  expect_all_is_well(run_load(options), options);
}

TEST_P(LoadOn, HasAsManyMessagesInFlightAsWereAskedFor) {
  const EchoServer server;
  LoadOptions options = short_run(server.address(), GetParam());
  options.connections = 4;
  options.depth = 4;
  const auto enough = [&](const Connections& before, const Connections& now) {
    return now.bytes > before.bytes + 5000 * options.size_bytes;
  };
  const LoadReport report = test::run_until(server, options, enough);
  EXPECT_GT(report.tally.echoes, 0U);
  EXPECT_THAT(why_not_trusted(options, report), testing::IsEmpty());
}

TEST_P(LoadOn, SaysThatMessagesWereMissing) {
  const EchoServer server({.fault = Fault::close, .on_connection = 1, .at_byte = 0});
  const LoadOptions options = short_run(server.address(), GetParam());
  const LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.established, 2U);
  EXPECT_THAT(why_not_trusted(options, report),
              testing::ElementsAre(testing::HasSubstr("% of the 3 messages")));
}

TEST_P(LoadOn, ReportsWhatItMeasuredUntilItWasInterrupted) {
  const EchoServer server;
  const LoadOptions options = short_run(server.address(), GetParam());
  const auto some = [&](const Connections& before, const Connections& now) {
    return now.bytes > before.bytes + 100 * options.size_bytes;
  };
  const LoadReport report = test::run_until(server, options, some);
  EXPECT_TRUE(report.interrupted);
  EXPECT_GT(report.tally.echoes, 0U);
  EXPECT_GT(report.window.count(), 0);
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
  EXPECT_EQ(report.tally.bytes_missing, 0U);
}

TEST_P(LoadOn, CanBeInterruptedBeforeItMeasures) {
  const EchoServer server;
  const UniqueFd interrupt(::eventfd(1, EFD_CLOEXEC));
  LoadOptions options = short_run(server.address(), GetParam());
  options.warmup = 1h;
  options.duration = 1h;
  options.interrupt = interrupt.get();
  const LoadReport report = run_load(options);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.tally.echoes, 0U);
  EXPECT_EQ(report.window.count(), 0);
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
}

}  // namespace

namespace {

/// Connections over pairs of Unix sockets. The test holds the other ends.
class IoUringConnectionsTest : public testing::TestWithParam<LoadEngine> {
 protected:
  void SetUp() override { test::require(GetParam()); }

  void open(std::size_t count) {
    const LoadShare share{.count = count, .active = count, .first = 0, .stride = 1};
    connections_ = make_connections(LoadEngine::io_uring, pattern_, share, 1);
    for (std::size_t i = 0; i < count; ++i) {
      std::array<int, 2> ends{};
      checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
              "socketpair");
      peers_.push_back({.fd = UniqueFd(ends[1]), .pending = {}});
      connections_->open(i, UniqueFd(ends[0]), 1);
      connections_->at(i).is_established = true;
    }
  }

  LoadConnection& connection() { return connections_->at(0); }
  int peer() const { return peers_[0].fd.get(); }
  const LoadTally& tally() { return connections_->tally(); }

  /// Handles the events of one turn. Returns true if a receive ended for lack of a buffer.
  bool turn() {
    bool has_starved = false;
    for (const LoadEvent& event : connections_->wait(0)) {
      has_starved |= event.result == -ENOBUFS;
      LoadConnection& its = connections_->at(event.id);
      if (its.fd) connections_->advance(its, event);
    }
    return has_starved;
  }

  /// Receives all bytes pending at the peers.
  void serve() {
    std::array<char, 1 << 16> buffer{};
    for (Peer& peer : peers_) {
      for (ssize_t count = 1; count > 0;) {
        count = ::recv(peer.fd.get(), buffer.data(), buffer.size(), 0);
        if (count > 0) peer.pending.append(buffer.data(), static_cast<std::size_t>(count));
      }
    }
  }
  /// Sends back as many of them as the socket takes.
  void reply() {
    for (Peer& peer : peers_) {
      const ssize_t count =
          ::send(peer.fd.get(), peer.pending.data(), peer.pending.size(), MSG_NOSIGNAL);
      if (count > 0) peer.pending.erase(0, static_cast<std::size_t>(count));
    }
  }

  struct Peer {
    UniqueFd fd;
    std::string pending;
  };

  Pattern pattern_{LoadConnections::kLongestRun};
  std::vector<Peer> peers_;
  std::unique_ptr<LoadConnections> connections_;
};

INSTANTIATE_TEST_SUITE_P(Engine, IoUringConnectionsTest, testing::Values(LoadEngine::io_uring),
                         test::OnEachEngine::name);

TEST_P(IoUringConnectionsTest, GoOnWhenTheBuffersRanOut) {
  constexpr std::size_t kConnections = 8;
  constexpr std::uint64_t kBytes = 50'000;  // more than all buffers together hold
  open(kConnections);
  for (std::size_t i = 0; i < kConnections; ++i) {
    connections_->at(i).stream.extend(kBytes);
    connections_->flush(connections_->at(i));
  }
  constexpr std::uint64_t kAll = kConnections * (kBytes + 1);
  bool has_starved = false;
  for (std::uint64_t served = 0; tally().bytes_received < kAll;) {
    has_starved |= turn();
    ASSERT_EQ(tally().errors.total(), 0U) << tally().first_error;
    serve();
    if (served < kAll) {  // until then nothing goes back
      served = 0;
      for (const Peer& peer : peers_) served += peer.pending.size();
    }
    if (served == kAll) reply();
  }
  EXPECT_TRUE(has_starved);
}

TEST_P(IoUringConnectionsTest, SendTheRestOfWhatFellShort) {
  constexpr std::uint64_t kBytes = 4 << 20;
  open(1);
  turn();
  serve();
  connection().stream.extend(LoadConnections::kLongestRun);
  connections_->flush(connection());
  EXPECT_TRUE(connection().is_quiet_send);
  turn();
  EXPECT_TRUE(connection().is_sending) << "the send fitted: " << connection().stream.in_flight();
  EXPECT_FALSE(connection().is_quiet_send);
  connection().stream.extend(kBytes);
  while (!connection().stream.is_quiet()) {
    ASSERT_TRUE(connection().fd) << tally().first_error;
    turn();
    serve();
    reply();
  }
  EXPECT_EQ(tally().bytes_sent, kBytes + LoadConnections::kLongestRun + 1);
  EXPECT_EQ(tally().bytes_received, tally().bytes_sent);
}

TEST_P(IoUringConnectionsTest, AreClosedThoughTheKernelWasReceiving) {
  open(1);
  turn();
  serve();
  char byte = 0;
  ASSERT_EQ(::recv(peer(), &byte, 1, 0), -1) << "the connection is open";
  connections_->fail(connection(), LoadError::timeout, "as the test wants");
  EXPECT_FALSE(connection().fd);
  connections_->close_all();
  EXPECT_EQ(::recv(peer(), &byte, 1, 0), 0);
}

TEST_P(IoUringConnectionsTest, DoNotCountWhatTheKernelDidNotSend) {
  open(1);
  turn();
  serve();
  connection().stream.extend(4 << 20);
  for (int i = 0; i < 10; ++i) {
    connections_->flush(connection());
    turn();
  }
  peers_.clear();
  while (connection().fd) turn();
  EXPECT_EQ(tally().errors.total(), 1U);
  EXPECT_EQ(tally().bytes_sent, tally().bytes_received + tally().bytes_missing);
  EXPECT_LT(tally().bytes_sent, LoadConnections::kLongestRun + 2);
}

}  // namespace

namespace {

using namespace std::chrono_literals;
using test::Connections;
using test::EchoServer;
using test::EchoServerOptions;
using test::Fault;
using test::FewPorts;
using test::name_of;
using test::run_until;

constexpr std::uint64_t kEchoes = 3;

LoadOptions churning_run(const std::string& address, LoadEngine engine = LoadEngine::epoll) {
  LoadOptions options = test::short_run(address, engine);
  options.churn = kEchoes;
  return options;
}

/// True once each connection was replaced several times.
bool many_came(const Connections& before, const Connections& now) {
  return now.accepted > before.accepted + 100;
}

void expect_conservation(const LoadTally& tally) {
  EXPECT_EQ(tally.errors.total(), 0U) << tally.first_error;
  EXPECT_EQ(tally.bytes_sent, tally.bytes_received);
  EXPECT_EQ(tally.bytes_missing, 0U);
  EXPECT_LE(tally.echoes, tally.latency_ns.count() + tally.first_echo_ns.count())
      << "with the messages in flight at the end";
}

class LoadWithChurn : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadWithChurn, test::kEngines, test::OnEachEngine::name);

using LoadOfDepthWithChurn = test::CaseOnEachEngine<std::uint64_t>;

TEST_P(LoadOfDepthWithChurn, OpensAndClosesAsTheServerSaysItDid) {
  const EchoServer server;
  LoadOptions options = churning_run(server.address(), engine());
  options.connections = 4;
  options.depth = which();
  options.idle = 1;
  options.threads = 2;
  const LoadTally tally = run_until(server, options, many_came).tally;
  const Connections counts = server.await_all_closed();
  expect_conservation(tally);
  EXPECT_GT(tally.closed, 0U);
  EXPECT_LE(tally.closed, tally.closed_in_all);
  EXPECT_EQ(counts.accepted, tally.established);
  // The client resets connections that are open at the end.
  EXPECT_EQ(counts.ended, tally.closed_in_all);
  EXPECT_EQ(counts.ended_bytes, tally.closed_in_all * kEchoes * options.size_bytes);
}

INSTANTIATE_TEST_SUITE_P(Depths, LoadOfDepthWithChurn,
                         testing::Combine(test::kEngines, testing::Values(1, 2, 8)),
                         [](const auto& test) {
                           return name_of(std::get<0>(test.param)) + "_" +
                                  std::to_string(std::get<1>(test.param));
                         });

void expect_churn(LoadEngine engine, const EchoServerOptions& server_options) {
  const EchoServer server(server_options);
  const LoadTally tally =
      run_until(server, churning_run(server.address(), engine), many_came).tally;
  const Connections counts = server.await_all_closed();
  expect_conservation(tally);
  EXPECT_GT(tally.closed_in_all, 0U);
  EXPECT_EQ(counts.accepted, tally.established);
}

TEST_P(LoadWithChurn, SpeaksIpv6) {
  if (const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)); !socket) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  expect_churn(GetParam(), {.host = "::1"});
}

TEST_P(LoadWithChurn, WaitsForAUnixServerWhoseBacklogIsFull) {
  expect_churn(GetParam(),
               {.backlog = 1,
                .unix_path = testing::TempDir() + "muxlab-churn-" + std::to_string(::getpid())});
}

TEST_P(LoadWithChurn, ReplacesConnectionsThatEchoOnce) {
  const EchoServer server;
  LoadOptions options = churning_run(server.address(), GetParam());
  options.churn = 1;
  const LoadTally tally = run_until(server, options, many_came).tally;
  expect_conservation(tally);
  EXPECT_GT(tally.first_echo_ns.count(), 0U);
  EXPECT_EQ(tally.latency_ns.count(), 0U);
}

TEST_P(LoadWithChurn, CountsAFailureAndGoesOnWithTheOthers) {
  const EchoServer server({.fault = Fault::corrupt, .on_connection = 7, .at_byte = 70});
  const LoadOptions options = churning_run(server.address(), GetParam());
  const LoadTally tally = run_until(server, options, many_came).tally;
  EXPECT_EQ(tally.errors.of(LoadError::mismatch), 1U);
  EXPECT_EQ(tally.errors.total(), 1U);
  EXPECT_GT(tally.established, 7U);
  EXPECT_EQ(tally.bytes_sent, tally.bytes_received + tally.bytes_missing);
}

TEST_P(LoadWithChurn, CountsConnectionsThatTheServerDoesNotEnd) {
  const EchoServer server({.never_ends = true});
  LoadOptions options = churning_run(server.address(), GetParam());
  options.grace = 50ms;
  const LoadTally tally = run_until(server, options, [&](auto, const Connections& now) {
                            return now.ended == options.connections;
                          }).tally;
  EXPECT_EQ(tally.errors.of(LoadError::unanswered), options.connections);
  EXPECT_EQ(tally.errors.total(), options.connections);
  EXPECT_EQ(tally.closed_in_all, 0U);
  EXPECT_EQ(tally.bytes_missing, 0U);
}

/// An orderly closed connection holds its port for at least a second.
TEST_F(FewPorts, AreWaitedForWithChurn) {
  constexpr int kPorts = 10;
  if (!enter(kPorts)) {
    if (!skip_reason().empty()) GTEST_SKIP() << skip_reason();
    return;
  }
  const EchoServer server({.host = "::1"});
  const LoadOptions options = churning_run(server.address());
  const LoadTally tally = run_until(server, options, [](auto, const Connections& now) {
                            return now.accepted > 2 * kPorts;
                          }).tally;
  const Connections counts = server.await_all_closed();
  expect_conservation(tally);
  EXPECT_GT(tally.without_port, 0U);
  EXPECT_EQ(counts.accepted, tally.established);
}

}  // namespace

}  // namespace muxlab
