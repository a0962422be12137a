#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/load/report.hpp"

namespace muxlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// 1,000 messages of which all but `missing` came back, each after 1 ms, `lag_ns` of it ours.
std::vector<std::string> doubts(std::uint64_t missing, std::uint64_t lag_ns) {
  LoadOptions options;
  options.rate = 1000;
  LoadReport report;
  report.tally.offered = 1000;
  report.tally.echoes = 1000 - missing;
  for (std::uint64_t i = 0; i < report.tally.echoes; ++i) {
    report.tally.latency_ns.record(1'000'000);
    report.tally.send_lag_ns.record(lag_ns);
  }
  return why_not_trusted(options, report);
}

TEST(LoadTrust, IsThereWhenTheServerKeptUp) {
  EXPECT_THAT(doubts(0, 1000), IsEmpty());
  EXPECT_THAT(doubts(10, 240'000), IsEmpty());
}

TEST(LoadTrust, IsLostWhenTheServerDidNotKeepUp) {
  EXPECT_THAT(doubts(11, 1000), ElementsAre(HasSubstr("1000 messages were due and 989 came back")));
}

TEST(LoadTrust, IsLostWhenTheClientIsInTheFigures) {
  EXPECT_THAT(doubts(0, 260'000), ElementsAre(HasSubstr("the client sent too late")));
}

/// Ten connections that keep two messages each in flight for a second, which take 1 ms each.
struct ClosedRun {
  LoadOptions options;
  LoadReport report;
};

ClosedRun closed_run(std::uint64_t echoes) {
  ClosedRun run;
  run.options.connections = 10;
  run.options.depth = 2;
  run.report.window = std::chrono::seconds(1);
  run.report.tally.echoes = echoes;
  for (std::uint64_t i = 0; i < echoes; ++i) run.report.tally.latency_ns.record(1'000'000);
  return run;
}

TEST(LittlesLaw, HoldsWhenAllIsInFlightAllTheTime) {
  const ClosedRun run = closed_run(20'000);
  EXPECT_NEAR(littles_law_ratio(run.options, run.report).value(), 1, 0.001);
  EXPECT_THAT(why_not_trusted(run.options, run.report), IsEmpty());
}

TEST(LittlesLaw, IsBrokenByAConnectionThatStandsStill) {
  const ClosedRun run = closed_run(18'000);
  EXPECT_NEAR(littles_law_ratio(run.options, run.report).value(), 0.9, 0.001);
  EXPECT_THAT(why_not_trusted(run.options, run.report),
              ElementsAre(HasSubstr("is 90.0 % of the 20 messages")));
}

TEST(LittlesLaw, IsBrokenByEchoesThatAreCountedTwice) {
  const ClosedRun run = closed_run(20'700);
  EXPECT_THAT(why_not_trusted(run.options, run.report), ElementsAre(HasSubstr("is 103.5 % of")));
}

TEST(LittlesLaw, AllowsForWhatLiesOutsideTheWindow) {
  ClosedRun run = closed_run(18'000);
  run.report.tally.latency_outside_ns = -2'000'000'000;  // all stand still for the last 0.1 s
  EXPECT_NEAR(littles_law_ratio(run.options, run.report).value(), 0.9, 0.001);
  EXPECT_THAT(why_not_trusted(run.options, run.report), IsEmpty());
  run.report.tally.latency_outside_ns = 2'000'000'000;
  EXPECT_THAT(why_not_trusted(run.options, run.report), ElementsAre(HasSubstr("is 80.0 % of")));
}

/// Messages of 1 ms and of `ms` in a window of a second, one after the other.
std::vector<std::string> doubts_of_a_stall(std::uint64_t short_ones, std::uint64_t long_ones,
                                           std::uint64_t ms) {
  ClosedRun run = closed_run(short_ones);
  run.options.connections = run.options.depth = 1;
  for (std::uint64_t i = 0; i < long_ones; ++i) {
    run.report.tally.latency_ns.record(ms * 1'000'000);
  }
  run.report.tally.latency_outside_ns =
      static_cast<std::int64_t>(short_ones + long_ones * ms - 1'000) * 1'000'000;
  return why_not_trusted(run.options, run.report);
}

TEST(LoadTrust, IsLostWhenTheServerStoodStill) {
  EXPECT_THAT(doubts_of_a_stall(1'000, 1, 600), ElementsAre(HasSubstr("a message took 600.")));
  EXPECT_THAT(doubts_of_a_stall(1'000, 1, 190), IsEmpty()) << "a busy machine does that";
  EXPECT_THAT(doubts_of_a_stall(0, 2, 600), IsEmpty()) << "all take that long";
}

TEST(LittlesLaw, IsNotForOthers) {
  ClosedRun run = closed_run(1);
  run.options.churn = 1;
  EXPECT_FALSE(littles_law_ratio(run.options, run.report));
  EXPECT_THAT(why_not_trusted(run.options, run.report), IsEmpty());
  run.options.churn.reset();
  run.options.rate = 1;
  EXPECT_FALSE(littles_law_ratio(run.options, run.report));
  EXPECT_FALSE(littles_law_ratio(LoadOptions{}, LoadReport{})) << "it never began";
}

TEST(LoadTrust, IsLostWhenPortsRunOut) {
  ClosedRun run = closed_run(20'000);
  run.options.churn = 1;
  run.report.tally.without_port = 3;
  EXPECT_THAT(why_not_trusted(run.options, run.report),
              ElementsAre(HasSubstr("3 connections had to wait for a port")));
}

}  // namespace
}  // namespace muxlab
