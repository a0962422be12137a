#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "backends/parts/unique_fd.hpp"
#include "bench/load/slice.hpp"
#include "bench/load/testing.hpp"

namespace muxlab {
namespace {

using test::EchoServer;
using test::Fault;
using testing::HasSubstr;

/// Runs the load on its own thread, and commands it like the harness.
class SlicedLoadTest : public testing::TestWithParam<LoadEngine> {
 protected:
  void start(const EchoServer& server, LoadOptions options) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_ = UniqueFd(ends[0]);
    options.connect = server.address();
    options.engine = available_engine(GetParam());
    options.grace = std::chrono::milliseconds(300);
    thread_ = std::thread([options, theirs = ends[1]] {
      const UniqueFd channel(theirs);
      run_sliced_load(options, channel.get());
    });
  }
  void TearDown() override {
    ours_.reset();
    if (thread_.joinable()) thread_.join();
  }

  SliceReply reply() const {
    SliceReply reply;
    EXPECT_EQ(::recv(ours_.get(), &reply, sizeof reply, 0), ssize_t{sizeof reply});
    latency_.clear();
    first_echo_.clear();
    add_counts(latency_, reply.latency_counts);
    add_counts(first_echo_, reply.first_echo_counts);
    return reply;
  }
  SliceReply slice(std::int64_t duration_ns, std::uint64_t round_trips) const {
    const SliceCommand command{duration_ns, round_trips};
    EXPECT_EQ(::send(ours_.get(), &command, sizeof command, 0), ssize_t{sizeof command});
    return reply();
  }

  void add_counts(Histogram& histogram, std::size_t left) const {
    std::array<HistogramCount, kCountsPerPacket> counts;
    while (left > 0) {
      const std::size_t here = std::min(left, counts.size());
      const auto size = static_cast<ssize_t>(here * sizeof counts[0]);
      ASSERT_EQ(::recv(ours_.get(), counts.data(), sizeof counts, 0), size);
      for (std::size_t i = 0; i < here; ++i) histogram.add(counts[i].bucket, counts[i].count);
      left -= here;
    }
  }

  UniqueFd ours_;
  std::thread thread_;
  mutable Histogram latency_, first_echo_;  // of the last reply
};

TEST_P(SlicedLoadTest, EverythingThatIsSentComesHome) {
  const EchoServer server;
  LoadOptions options;
  options.connections = 7;
  options.idle = 3;
  options.size_bytes = 100;
  options.depth = 2;
  start(server, options);
  EXPECT_FALSE(reply().is_broken()) << "all connections have echoed";
  std::uint64_t bytes = 0;
  for (int i = 0; i < 5; ++i) {
    const SliceReply one = slice(2'000'000, 3);
    ASSERT_FALSE(one.is_broken()) << one.broken.data();
    EXPECT_GE(one.echoes, 7U * 2 * 3);
    EXPECT_EQ(one.bytes_received, one.echoes * 100);
    EXPECT_EQ(one.bytes_sent, one.bytes_received);
    EXPECT_GE(one.elapsed_ns, 2'000'000);
    bytes += one.bytes_sent;
  }
  const auto counts =
      server.await([&](const test::Connections& all) { return all.bytes >= bytes + 7 * 100 + 3; });
  EXPECT_EQ(counts.bytes, bytes + 7 * 100 + 3) << "with the first echo of each";
}

TEST_P(SlicedLoadTest, EachConnectionMakesItsRoundTripsHoweverShortTheSlice) {
  const EchoServer server;
  LoadOptions options;
  options.connections = 50;
  start(server, options);
  reply();
  const SliceReply one = slice(1, 4);
  EXPECT_GE(one.echoes, 200U);
}

/// The slice times all messages but the first of each connection, which leave at once.
TEST_P(SlicedLoadTest, MessagesAreTimedButForTheFirst) {
  const EchoServer server;
  LoadOptions options;
  options.connections = 10;
  start(server, options);
  reply();
  EXPECT_EQ(latency_.count(), 0U) << "no slice has run yet";
  for (int i = 0; i < 3; ++i) {
    const SliceReply one = slice(2'000'000, 3);
    EXPECT_EQ(latency_.count(), one.echoes - 10);
    EXPECT_EQ(one.shares, 10);
    EXPECT_GT(one.share_sum, 0);
  }
}

TEST_P(SlicedLoadTest, ConnectionsComeAndGo) {
  const EchoServer server;
  LoadOptions options;
  options.connections = 4;
  options.churn = 3;
  start(server, options);
  reply();
  std::uint64_t opened = 0;
  for (int i = 0; i < 5; ++i) {
    const SliceReply one = slice(2'000'000, 6);
    ASSERT_FALSE(one.is_broken()) << one.broken.data();
    EXPECT_EQ(one.bytes_sent, one.bytes_received);
    EXPECT_GE(one.opened, 4U) << "each connection was replaced";
    EXPECT_LE(first_echo_.count(), one.opened);
    opened += one.opened;
  }
  const auto counts =
      server.await([&](const test::Connections& all) { return all.accepted >= opened + 4; });
  EXPECT_EQ(counts.accepted, opened + 4);
}

TEST_P(SlicedLoadTest, AnOpenLoopSendsWhatIsDue) {
  const EchoServer server;
  LoadOptions options;
  options.connections = 5;
  options.depth = kNoLimit;
  options.rate = 5'000;
  options.gaps = Gaps::fixed;
  start(server, options);
  reply();
  const SliceReply one = slice(100'000'000, 3);
  ASSERT_FALSE(one.is_broken()) << one.broken.data();
  const std::int64_t due_at_most = one.elapsed_ns / 200'000 + 1;  // the slice may have run longer
  EXPECT_GE(one.echoes, 500U);
  EXPECT_LE(one.echoes, static_cast<std::uint64_t>(due_at_most));
  EXPECT_NEAR(static_cast<double>(latency_.count()), static_cast<double>(one.echoes) - 50, 1)
      << "the first tenth is not timed";
  EXPECT_EQ(one.unsent, 0U);
}

TEST_P(SlicedLoadTest, WhatGoesWrongBreaksThisSliceAndThoseAfterIt) {
  struct Case {
    Fault fault;
    const char* reason;
  };
  for (const Case& one :
       {Case{Fault::corrupt, "bytes that are not those sent"},
        Case{Fault::close, "closed by the server"}, Case{Fault::silence, "no answer for 0.3 s"}}) {
    SCOPED_TRACE(one.reason);
    const EchoServer server({.fault = one.fault, .on_connection = 1, .at_byte = 640});
    LoadOptions options;
    options.connections = 3;
    start(server, options);
    EXPECT_FALSE(reply().is_broken());
    SliceReply last;
    for (int i = 0; i < 20 && !last.is_broken(); ++i) last = slice(1'000'000, 3);
    EXPECT_THAT(last.broken.data(), HasSubstr(one.reason));
    EXPECT_THAT(slice(1'000'000, 3).broken.data(), HasSubstr(one.reason));
    TearDown();
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, SlicedLoadTest,
                         testing::Values(LoadEngine::epoll, LoadEngine::any), [](const auto& test) {
                           return test.param == LoadEngine::epoll ? "epoll" : "any";
                         });

TEST(SlicedLoad, IsForOneThread) {
  LoadOptions options;
  options.connect = "127.0.0.1:1";
  options.connections = 2;
  options.threads = 2;
  EXPECT_THROW(run_sliced_load(options, -1), Failure);
}

TEST(SliceReply, ReasonsAreCutToWhatFits) {
  SliceReply reply;
  EXPECT_FALSE(reply.is_broken());
  reply.break_off(std::string(1000, 'x'));
  EXPECT_TRUE(reply.is_broken());
  EXPECT_EQ(std::string(reply.broken.data()), std::string(reply.broken.size() - 1, 'x'));
}

}  // namespace
}  // namespace muxlab
