#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include "bench/load/load.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/testing.hpp"

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

/// Expects that every due message is counted, once in each histogram if it came back.
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
    options.connections = 2;  // so several messages are in flight on each
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
    LoadOptions options;
    options.depth = kNoLimit;
    options.rate = 5'000;
    options.gaps = Gaps::fixed;
    options.grace = 1s;
    run_open_loop(*connections, timeline, options, 0, 1, nullptr);
    EXPECT_GE(connections->tally().unsent, 99U) << "in at least 20 ms";
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

/// Measures a server that stalls for 200 ms of a second or more. Each connection of the open loop
/// may have one message in flight. The server stalls after each connection has sent one in the
/// window, so the messages that it holds count.
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

/// During the stall two messages are due per millisecond, 400 in all, and each waits for its end.
/// The client sends only ten of them before the end, so latencies from the send omit the wait of
/// the others. A closed loop would delay only ten messages.
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

namespace {

std::vector<std::int64_t> dues(Arrivals arrivals, std::size_t count) {
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < count; ++i, arrivals.advance()) times.push_back(arrivals.due_ns());
  return times;
}

Arrivals started(double per_s, Gaps gaps, std::uint64_t seed) {
  Arrivals arrivals(per_s, gaps, seed);
  arrivals.start(0, 0, 1);
  return arrivals;
}

TEST(Arrivals, AreExponentialWhenTheyArePoisson) {
  constexpr std::size_t kCount = 100'000;
  const auto times = dues(started(1e6, Gaps::poisson, 1), kCount);
  std::vector<double> gaps;
  std::int64_t before = 0;
  for (const std::int64_t time : times) {
    gaps.push_back(static_cast<double>(time - before));
    before = time;
  }
  std::ranges::sort(gaps);
  // Kolmogorov-Smirnov: the distribution function deviates by more than 1.95 / sqrt(n) only for one
  // seed in a thousand. Whole nanoseconds add half a gap of a thousandth.
  double furthest = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double expected = 1 - std::exp(-gaps[i] / 1000);
    const double seen = (static_cast<double>(i) + 0.5) / kCount;
    furthest = std::max(furthest, std::abs(expected - seen));
  }
  EXPECT_LT(furthest, 1.95 / std::sqrt(kCount) + 0.0005);
  EXPECT_NEAR(static_cast<double>(times.back()) / kCount, 1000, 4 * 1000 / std::sqrt(kCount));
}

TEST(Arrivals, AreEvenlySpacedWhenTheyAreFixed) {
  const auto times = dues(started(3, Gaps::fixed, 1), 7);
  EXPECT_EQ(times[0], 333'333'333);
  EXPECT_EQ(times[2], 1'000'000'000) << "fractions of a nanosecond are not lost";
  EXPECT_EQ(times[5], 2'000'000'000);
}

TEST(Arrivals, OfSeveralSharesAreEvenlySpacedTogether) {
  constexpr std::uint64_t kShares = 4;
  std::vector<std::int64_t> all;
  for (std::uint64_t share = 0; share < kShares; ++share) {
    Arrivals arrivals(1000, Gaps::fixed, share);
    arrivals.start(0, share, kShares);
    for (const std::int64_t due : dues(arrivals, 5)) all.push_back(due);
  }
  std::ranges::sort(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i], 250'000 * static_cast<std::int64_t>(i + 1));
  }
}

TEST(Arrivals, OfTheSameSeedAreTheSame) {
  EXPECT_EQ(dues(started(1000, Gaps::poisson, 7), 100), dues(started(1000, Gaps::poisson, 7), 100));
  EXPECT_NE(dues(started(1000, Gaps::poisson, 7), 100), dues(started(1000, Gaps::poisson, 8), 100));
}

TEST(Arrivals, ChooseEachConnectionAsOften) {
  constexpr std::size_t kConnections = 10;
  constexpr int kEach = 10'000;
  Arrivals arrivals(1, Gaps::poisson, 3);
  std::vector<int> chosen(kConnections);
  for (int i = 0; i < kEach * static_cast<int>(kConnections); ++i) {
    ++chosen[arrivals.choose(kConnections)];
  }
  for (const int count : chosen) EXPECT_NEAR(count, kEach, 5 * std::sqrt(kEach));
}

}  // namespace

}  // namespace muxlab
