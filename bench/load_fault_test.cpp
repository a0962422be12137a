#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "bench/load.hpp"
#include "bench/load_test_server.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::Fault;
using test::short_run;

class LoadOfDamage : public testing::TestWithParam<Fault> {};

TEST_P(LoadOfDamage, IsCountedAndTheRunGoesOn) {
  const EchoServer server({.fault = GetParam(), .on_connection = 1, .at_byte = 1000});
  LoadOptions options = short_run(server.address());
  const LoadReport report = run_load(options);
  const LoadErrors& errors = report.tally.errors;
  EXPECT_GE(errors.of(LoadError::mismatch), 1U);
  EXPECT_EQ(errors.total() - errors.of(LoadError::mismatch),
            errors.of(LoadError::unanswered) + errors.of(LoadError::timeout));
  EXPECT_LT(errors.total(), options.connections);
  EXPECT_GT(report.tally.echoes, 0U);
  EXPECT_EQ(report.tally.bytes_sent, report.tally.bytes_received + report.tally.bytes_missing);
}

INSTANTIATE_TEST_SUITE_P(Faults, LoadOfDamage,
                         testing::Values(Fault::corrupt, Fault::lose, Fault::repeat,
                                         Fault::misroute));

struct Loss {
  Fault fault;
  std::uint64_t at_byte;
  LoadError error;
};

/// With messages of 64 bytes: byte 64 is the first after the one that each connection is
/// established with, and byte 1023 the last of a message.
class LoadOfLoss : public testing::TestWithParam<Loss> {};

TEST_P(LoadOfLoss, IsCountedByKindWithinABoundedTime) {
  const EchoServer server(
      {.fault = GetParam().fault, .on_connection = 1, .at_byte = GetParam().at_byte});
  LoadOptions options = short_run(server.address());
  const auto began = std::chrono::steady_clock::now();
  const LoadReport report = run_load(options);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_EQ(report.tally.errors.of(GetParam().error), 1U) << report.tally.first_error;
  EXPECT_EQ(report.tally.errors.total(), 1U);
  EXPECT_GT(report.tally.echoes, 0U);
  EXPECT_EQ(report.tally.bytes_sent, report.tally.bytes_received + report.tally.bytes_missing);
}

INSTANTIATE_TEST_SUITE_P(Losses, LoadOfLoss,
                         testing::Values(Loss{Fault::close, 1000, LoadError::closed},
                                         Loss{Fault::reset, 1000, LoadError::reset},
                                         Loss{Fault::close, 0, LoadError::closed},
                                         Loss{Fault::silence, 64, LoadError::timeout},
                                         Loss{Fault::silence, 1000, LoadError::unanswered},
                                         Loss{Fault::lose, 1023, LoadError::unanswered}));

TEST(Load, WatchesItsIdleConnections) {
  // Idle connections are opened last and echo one byte, so each of them is struck at once.
  const EchoServer server({.fault = Fault::repeat, .on_connection = 3, .at_byte = 0});
  LoadOptions options = short_run(server.address());
  options.idle = 1;
  const LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.errors.of(LoadError::mismatch), 1U);
  EXPECT_TRUE(report.tally.first_error.starts_with("idle connection")) << report.tally.first_error;
}

}  // namespace
}  // namespace muxlab
