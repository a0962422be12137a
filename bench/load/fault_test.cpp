#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "bench/load/load.hpp"
#include "bench/load/test_engine.hpp"
#include "bench/load/test_server.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using test::Connections;
using test::EchoServer;
using test::Fault;
using test::run_until;
using test::short_run;

bool the_others_went_on(const Connections& before, const Connections& now) {
  return now.struck > 0 && now.bytes > before.bytes + 100'000;
}

/// What a fault has taken away is not waited for as long as usual.
LoadOptions faulty_run(const std::string& address, LoadEngine engine) {
  LoadOptions options = short_run(address, engine);
  options.grace = std::chrono::seconds(1);
  return options;
}

using LoadOfDamage = test::CaseOnEachEngine<Fault>;

TEST_P(LoadOfDamage, IsCountedAndTheRunGoesOn) {
  const EchoServer server({.fault = which(), .on_connection = 1, .at_byte = 150});
  const LoadOptions options = faulty_run(server.address(), engine());
  const LoadReport report = run_until(server, options, the_others_went_on);
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
using LoadOfLoss = test::CaseOnEachEngine<Loss>;

TEST_P(LoadOfLoss, IsCountedByKindAndTheRunGoesOn) {
  const EchoServer server({.fault = which().fault, .on_connection = 1, .at_byte = which().at_byte});
  const LoadOptions options = faulty_run(server.address(), engine());
  const LoadReport report = run_until(server, options, the_others_went_on);
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
