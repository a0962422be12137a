#include "bench/load_open_loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "bench/load.hpp"
#include "bench/load_test_engine.hpp"
#include "bench/load_test_server.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::Fault;

LoadOptions open_run(const std::string& address, std::uint64_t rate, LoadEngine engine) {
  LoadOptions options = test::short_run(address, engine);
  options.connections = 20;
  options.rate = rate;
  options.depth = kNoLimit;
  options.duration = 200ms;
  options.seed = 1;
  return options;
}

/// Every message that was due is accounted for, once in each histogram if it came back.
void expect_balance(const LoadTally& tally) {
  EXPECT_EQ(tally.offered, tally.latency_ns.count() + tally.latency_ns.dropped() + tally.unsent +
                               tally.unanswered);
  EXPECT_EQ(tally.latency_ns.count(), tally.latency_from_send_ns.count());
  EXPECT_EQ(tally.latency_ns.count(), tally.send_lag_ns.count());
  EXPECT_EQ(tally.bytes_sent, tally.bytes_received + tally.bytes_missing);
}

class OpenLoopOn : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, OpenLoopOn, test::kEngines, test::OnEachEngine::name);

TEST_P(OpenLoopOn, SendsAsMuchAsItWasAskedTo) {
  const EchoServer server;
  for (const Gaps gaps : {Gaps::poisson, Gaps::fixed}) {
    LoadOptions options = open_run(server.address(), 5000, GetParam());
    options.gaps = gaps;
    options.threads = 2;
    options.idle = 3;
    const LoadReport report = run_load(options);
    const double due = 5000 * std::chrono::duration<double>(report.window).count();
    const double spread = gaps == Gaps::fixed ? 2 : 5 * std::sqrt(due);
    EXPECT_NEAR(static_cast<double>(report.tally.offered), due, spread);
    EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
    EXPECT_EQ(report.tally.unsent + report.tally.unanswered, 0U);
    expect_balance(report.tally);
  }
}

TEST_P(OpenLoopOn, KeepsMessagesOfAllSizesApart) {
  const EchoServer server({.in_odd_chunks = true});
  for (const std::uint64_t size : {1, 64, 65'536}) {
    LoadOptions options = open_run(server.address(), 2000, GetParam());
    options.connections = 2;  // so that several are in flight on each
    options.size_bytes = size;
    const LoadReport report = run_load(options);
    EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
    EXPECT_GT(report.tally.offered, 0U);
    expect_balance(report.tally);
  }
}

TEST_P(OpenLoopOn, CountsWhatNeverComesBack) {
  const EchoServer server({.fault = Fault::silence, .on_connection = 1, .at_byte = 640});
  LoadOptions options = open_run(server.address(), 5000, GetParam());
  options.connections = 3;
  options.grace = 1s;
  const LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.errors.total(), 1U);
  EXPECT_GT(report.tally.unanswered, 0U);
  expect_balance(report.tally);
}

/// The client counts a due message without a connection as unsent, however slow the client is. A
/// late client sees the start and the end of the run in one wait.
TEST_P(OpenLoopOn, CountsWhatItHasNobodyToSendWith) {
  for (const bool is_late : {false, true}) {
    const Pattern pattern{LoadConnections::kLongestRun};
    const auto connections = make_connections(
        GetParam(), pattern, {.count = 3, .active = 3, .first = 0, .stride = 1}, 64);
    Timeline timeline;
    std::jthread conductor([&] {
      timeline.start();
      const std::int64_t begin_ns = monotonic_ns();
      timeline.begin_window(begin_ns);
      while (monotonic_ns() < begin_ns + 20'000'000) std::this_thread::sleep_for(1ms);
      timeline.end_window(monotonic_ns());
      timeline.end();
    });
    if (is_late) conductor.join();
    run_open_loop(*connections, timeline,
                  {.size_bytes = 64,
                   .depth = kNoLimit,
                   .per_s = 5'000,
                   .gaps = Gaps::fixed,
                   .seed = 1,
                   .share = 0,
                   .shares = 1,
                   .grace = 1s});
    EXPECT_GE(connections->tally().unsent, 99U) << "in 20 ms at least";
    EXPECT_EQ(connections->tally().offered, connections->tally().unsent);
    EXPECT_EQ(connections->tally().bytes_sent, 0U);
  }
}

TEST_P(OpenLoopOn, AccountsForWhatItSentToConnectionsThatBroke) {
  const EchoServer server({.fault = Fault::reset, .at_byte = 640, .on_every_connection = true});
  const LoadReport report = run_load(open_run(server.address(), 5000, GetParam()));
  EXPECT_EQ(report.tally.errors.total(), 20U);
  expect_balance(report.tally);
}

/// What a server that stands still for 200 ms of a second or more looks like: all connections of an
/// open loop may have one message in flight. It stands still once each connection has sent one in
/// the window, so what it holds meanwhile counts.
LoadTally stalled_run(std::optional<std::uint64_t> rate) {
  EchoServer server;
  LoadOptions options = test::short_run(server.address());
  options.connections = 10;
  options.duration = 1s;
  options.rate = rate;
  options.gaps = Gaps::fixed;
  std::jthread staller;
  options.on_window = [&] {
    const std::uint64_t enough = server.connections().bytes + 11 * options.size_bytes;
    staller = std::jthread([&server, enough] {
      server.await([=](const test::Connections& now) { return now.bytes >= enough; });
      server.stall(200ms);
    });
  };
  LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
  return std::move(report.tally);
}

/// Two messages are due each millisecond that the server stands still, 400 in all, and each waits
/// for as long as it still will. All but ten of them are not even sent before it goes on: that wait
/// is in no figure that is taken from when a message was sent. Who waits for an answer before
/// sending again has ten messages delayed.
TEST(OpenLoop, SeesAStallThatOneWhoWaitsForTheServerDoesNot) {
  constexpr double kMs = 1e6;
  const LoadTally open = stalled_run(2000);
  const auto sum_ms = [](const Histogram& latency) {
    return latency.mean() * static_cast<double>(latency.count()) / kMs;
  };
  // The sum of 0.5 ms, 1 ms and so on up to 200 ms, without the ten longest.
  constexpr double kWaited_ms = 40'000 - 10 * 200;
  EXPECT_GE(sum_ms(open.latency_ns) - sum_ms(open.latency_from_send_ns), 0.98 * kWaited_ms);
  EXPECT_GE(static_cast<double>(open.latency_ns.max()) / kMs, 200);

  const LoadTally closed = stalled_run(std::nullopt);
  EXPECT_GE(static_cast<double>(closed.latency_ns.max()) / kMs, 200);
}

}  // namespace
}  // namespace muxlab
