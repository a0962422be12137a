#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "bench/load/load.hpp"
#include "bench/load/test_engine.hpp"
#include "bench/load/test_few_ports.hpp"
#include "bench/load/test_server.hpp"

namespace muxlab {
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

/// Enough that each connection was replaced several times.
bool many_came(const Connections& before, const Connections& now) {
  return now.accepted > before.accepted + 100;
}

void expect_conservation(const LoadTally& tally) {
  EXPECT_EQ(tally.errors.total(), 0U) << tally.first_error;
  EXPECT_EQ(tally.bytes_sent, tally.bytes_received);
  EXPECT_EQ(tally.bytes_missing, 0U);
  EXPECT_LE(tally.echoes, tally.latency_ns.count() + tally.first_echo_ns.count())
      << "with those in flight at the end";
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

/// A connection that was ended in order holds its port for a second at least.
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
