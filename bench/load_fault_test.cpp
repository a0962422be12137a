#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <tuple>

#include "bench/load.hpp"
#include "bench/load_test_engine.hpp"
#include "bench/load_test_server.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::Fault;
using test::short_run;

template <typename Case>
class LoadOfCase : public testing::TestWithParam<std::tuple<LoadEngine, Case>> {
 protected:
  void SetUp() override { test::require(engine()); }
  LoadEngine engine() const { return std::get<0>(this->GetParam()); }
  const Case& which() const { return std::get<1>(this->GetParam()); }

 public:
  static std::string name(const testing::TestParamInfo<std::tuple<LoadEngine, Case>>& info) {
    return test::name_of(std::get<0>(info.param)) + "_" + std::to_string(info.index);
  }
};

using LoadOfDamage = LoadOfCase<Fault>;

TEST_P(LoadOfDamage, IsCountedAndTheRunGoesOn) {
  const EchoServer server({.fault = which(), .on_connection = 1, .at_byte = 150});
  LoadOptions options = short_run(server.address(), engine());
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
                         testing::Combine(test::kEngines,
                                          testing::Values(Fault::corrupt, Fault::lose,
                                                          Fault::repeat, Fault::misroute)),
                         LoadOfDamage::name);

struct Loss {
  Fault fault;
  std::uint64_t at_byte;
  LoadError error;
};

/// With messages of 64 bytes: byte 64 is the first after the one that each connection is
/// established with, and byte 191 the last of a message.
using LoadOfLoss = LoadOfCase<Loss>;

TEST_P(LoadOfLoss, IsCountedByKindWithinABoundedTime) {
  const EchoServer server({.fault = which().fault, .on_connection = 1, .at_byte = which().at_byte});
  LoadOptions options = short_run(server.address(), engine());
  const auto began = std::chrono::steady_clock::now();
  const LoadReport report = run_load(options);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_EQ(report.tally.errors.of(which().error), 1U) << report.tally.first_error;
  EXPECT_EQ(report.tally.errors.total(), 1U);
  EXPECT_GT(report.tally.echoes, 0U);
  EXPECT_EQ(report.tally.bytes_sent, report.tally.bytes_received + report.tally.bytes_missing);
}

INSTANTIATE_TEST_SUITE_P(
    Losses, LoadOfLoss,
    testing::Combine(test::kEngines,
                     testing::Values(Loss{Fault::close, 150, LoadError::closed},
                                     Loss{Fault::reset, 150, LoadError::reset},
                                     Loss{Fault::close, 0, LoadError::closed},
                                     Loss{Fault::silence, 64, LoadError::timeout},
                                     Loss{Fault::silence, 150, LoadError::unanswered},
                                     Loss{Fault::lose, 191, LoadError::unanswered})),
    LoadOfLoss::name);

class LoadWithIdle : public test::OnEachEngine {};
INSTANTIATE_TEST_SUITE_P(Engines, LoadWithIdle, test::kEngines, test::OnEachEngine::name);

TEST_P(LoadWithIdle, WatchesThem) {
  // Idle connections are opened last and echo one byte, so each of them is struck at once.
  const EchoServer server({.fault = Fault::repeat, .on_connection = 3, .at_byte = 0});
  LoadOptions options = short_run(server.address(), GetParam());
  options.idle = 1;
  const LoadReport report = run_load(options);
  EXPECT_EQ(report.tally.errors.of(LoadError::mismatch), 1U);
  EXPECT_TRUE(report.tally.first_error.starts_with("idle connection")) << report.tally.first_error;
}

}  // namespace
}  // namespace muxlab
