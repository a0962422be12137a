#include "bench/load_open_loop.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "bench/load.hpp"
#include "bench/load_test_engine.hpp"
#include "bench/load_test_server.hpp"
#include "server/test_server_process.hpp"

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

TEST_P(OpenLoopOn, CountsWhatItHasNobodyToSendWith) {
  const EchoServer server({.fault = Fault::reset, .at_byte = 640, .on_every_connection = true});
  const LoadReport report = run_load(open_run(server.address(), 5000, GetParam()));
  EXPECT_EQ(report.tally.errors.total(), 20U);
  EXPECT_GT(report.tally.unsent, 0U);
  expect_balance(report.tally);
}

/// What a server that stands still for 200 ms of 1 s looks like.
LoadTally stalled_run(std::optional<std::uint64_t> rate) {
  test::ServerProcess server({"--backend", "epoll-lt"});
  EXPECT_TRUE(server.listens());
  LoadOptions options = test::short_run(server.address());
  options.connections = 10;
  options.duration = 1s;
  options.rate = rate;
  options.gaps = Gaps::fixed;
  std::jthread staller;
  options.on_window = [&] {
    staller = std::jthread([&] {
      std::this_thread::sleep_for(300ms);
      server.signal(SIGSTOP);
      siginfo_t stopped{};
      ::waitid(P_PID, static_cast<id_t>(server.pid()), &stopped, WSTOPPED);
      std::this_thread::sleep_for(200ms);
      server.signal(SIGCONT);
    });
  };
  LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.errors.total(), 0U) << report.tally.first_error;
  return std::move(report.tally);
}

/// A fifth of the messages are due while it stands still, and wait for as long as it still will:
/// the 99th percentile of all is that of the last twentieth of these, 190 ms. Who waits for an
/// answer before sending again has ten messages of thousands delayed, and does not see it.
TEST(OpenLoop, SeesAStallThatOneWhoWaitsForTheServerDoesNot) {
  constexpr double kMs = 1e6;
  const LoadTally open = stalled_run(2000);
  const auto p99 = [](const Histogram& h) {
    return static_cast<double>(h.value_at_percentile(99)) / kMs;
  };
  // Two are due each millisecond. The window may be longer than it was asked to be.
  const double due_ms = static_cast<double>(open.offered) / 2;
  EXPECT_GE(p99(open.latency_ns), 195 - due_ms / 100);
  EXPECT_GE(static_cast<double>(open.latency_ns.value_at_percentile(90)) / kMs, 195 - due_ms / 10);
  EXPECT_LE(p99(open.latency_from_send_ns), p99(open.latency_ns) / 2);

  const LoadTally closed = stalled_run(std::nullopt);
  EXPECT_GE(static_cast<double>(closed.latency_ns.max()) / kMs, 190);
  EXPECT_LE(p99(closed.latency_ns), p99(open.latency_ns) / 2);
}

}  // namespace
}  // namespace muxlab
