#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "bench/load/connections.hpp"
#include "bench/load/test_engine.hpp"

namespace muxlab {
namespace {

/// Connections over pairs of Unix sockets, whose other ends are the test.
class IoUringConnectionsTest : public testing::TestWithParam<LoadEngine> {
 protected:
  void SetUp() override { test::require(GetParam()); }

  void open(std::size_t count) {
    const LoadShare share{.count = count, .active = count, .first = 0, .stride = 1};
    connections_ = make_io_uring_connections(pattern_, share, 1);
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

  /// Events of one turn, handled; true when a receive ended for want of a buffer.
  bool turn() {
    bool has_starved = false;
    for (const LoadEvent& event : connections_->wait(0)) {
      has_starved |= event.result == -ENOBUFS;
      LoadConnection& its = connections_->at(event.id);
      if (its.fd) connections_->advance(its, event);
    }
    return has_starved;
  }

  /// Takes in what the peers can receive now.
  void serve() {
    std::array<char, 1 << 16> buffer{};
    for (Peer& peer : peers_) {
      for (ssize_t count = 1; count > 0;) {
        count = ::recv(peer.fd.get(), buffer.data(), buffer.size(), 0);
        if (count > 0) peer.pending.append(buffer.data(), static_cast<std::size_t>(count));
      }
    }
  }
  /// Sends back as much of it as there is room for.
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
  constexpr std::uint64_t kBytes = 50'000;  // all buffers together hold less than one sends
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
  EXPECT_TRUE(connection().is_sending) << "it fitted: " << connection().stream.in_flight();
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
  ASSERT_EQ(::recv(peer(), &byte, 1, 0), -1) << "it is open";
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
}  // namespace muxlab
