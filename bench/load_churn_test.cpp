#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <tuple>

#include "bench/load.hpp"
#include "bench/load_test_engine.hpp"
#include "bench/load_test_few_ports.hpp"
#include "bench/load_test_server.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::Connections;
using test::EchoServer;
using test::EchoServerOptions;
using test::Fault;
using test::FewPorts;
using test::name_of;

constexpr std::uint64_t kEchoes = 3;

LoadOptions churning_run(const std::string& address, LoadEngine engine = LoadEngine::epoll) {
  LoadOptions options = test::short_run(address, engine);
  options.churn = kEchoes;
  options.duration = 150ms;
  return options;
}

void expect_conservation(const LoadTally& tally) {
  EXPECT_EQ(tally.errors.total(), 0U) << tally.first_error;
  EXPECT_EQ(tally.bytes_sent, tally.bytes_received);
  EXPECT_EQ(tally.bytes_missing, 0U);
  EXPECT_EQ(tally.echoes, tally.latency_ns.count() + tally.first_echo_ns.count());
}

class LoadWithChurn : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadWithChurn, test::kEngines, test::OnEachEngine::name);

class LoadOfDepthWithChurn : public testing::TestWithParam<std::tuple<LoadEngine, std::uint64_t>> {
};

TEST_P(LoadOfDepthWithChurn, OpensAndClosesAsTheServerSaysItDid) {
  const auto [engine, depth] = GetParam();
  test::require(engine);
  const EchoServer server;
  LoadOptions options = churning_run(server.address(), engine);
  options.connections = 4;
  options.depth = depth;
  options.idle = 1;
  options.threads = 2;
  const LoadTally tally = run_load(options).tally;
  const Connections counts = server.await_all_closed();
  expect_conservation(tally);
  EXPECT_GT(tally.closed_in_all, 0U);
  EXPECT_LE(tally.closed, tally.closed_in_all);
  EXPECT_EQ(counts.accepted, tally.established);
  // Those that are open at the end are reset.
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
  const LoadTally tally = run_load(churning_run(server.address(), engine)).tally;
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
  const LoadTally tally = run_load(options).tally;
  expect_conservation(tally);
  EXPECT_GT(tally.first_echo_ns.count(), 0U);
  EXPECT_EQ(tally.latency_ns.count(), 0U);
}

TEST_P(LoadWithChurn, CountsAFailureAndGoesOnWithTheOthers) {
  const EchoServer server({.fault = Fault::corrupt, .on_connection = 7, .at_byte = 70});
  const LoadTally tally = run_load(churning_run(server.address(), GetParam())).tally;
  EXPECT_EQ(tally.errors.of(LoadError::mismatch), 1U);
  EXPECT_EQ(tally.errors.total(), 1U);
  EXPECT_GT(tally.established, 7U);
  EXPECT_EQ(tally.bytes_sent, tally.bytes_received + tally.bytes_missing);
}

TEST_P(LoadWithChurn, CountsConnectionsThatTheServerDoesNotEnd) {
  const EchoServer server({.never_ends = true});
  LoadOptions options = churning_run(server.address(), GetParam());
  options.grace = 50ms;
  const LoadTally tally = run_load(options).tally;
  EXPECT_EQ(tally.errors.of(LoadError::unanswered), options.connections);
  EXPECT_EQ(tally.errors.total(), options.connections);
  EXPECT_EQ(tally.closed_in_all, 0U);
  EXPECT_EQ(tally.bytes_missing, 0U);
}

/// A connection that was ended in order holds its port for a second at least.
TEST_F(FewPorts, AreWaitedForWithChurn) {
  if (!enter()) {
    if (!skip_reason().empty()) GTEST_SKIP() << skip_reason();
    return;
  }
  const EchoServer server({.host = "::1"});
  const UniqueFd interrupt(::eventfd(0, EFD_CLOEXEC));
  LoadOptions options = churning_run(server.address());
  options.duration = 1h;
  options.interrupt = interrupt.get();
  std::thread interrupter([&] {
    server.await([](const Connections& counts) { return counts.accepted > 150; });
    ::eventfd_write(interrupt.get(), 1);
  });
  const LoadTally tally = run_load(options).tally;
  interrupter.join();
  const Connections counts = server.await_all_closed();
  expect_conservation(tally);
  EXPECT_GT(tally.without_port, 0U);
  EXPECT_EQ(counts.accepted, tally.established);
}

}  // namespace
}  // namespace muxlab
