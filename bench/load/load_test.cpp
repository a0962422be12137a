#include "bench/load/load.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

#include "bench/load/report.hpp"
#include "bench/load/test_engine.hpp"
#include "bench/load/test_server.hpp"

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
      << "with those that were in flight at the end";
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
}  // namespace muxlab
