#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/load/load.hpp"

namespace muxlab {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

LoadOptions some_options() {
  LoadOptions options;
  options.connect = "127.0.0.1:7000";
  options.connections = 10;
  options.idle = 5;
  options.depth = 2;
  return options;
}

LoadReport some_report() {
  LoadReport report;
  report.connecting = 250ms;
  report.window = 2s;
  report.client_cpu = 1s;
  report.tally.established = 15;
  report.tally.echoes = 1000;
  for (int i = 0; i < 1000; ++i) report.tally.latency_ns.record(2000);
  return report;
}

TEST(LoadJson, HasEveryKeyOfItsSchema) {
  const auto json = load_json(some_options(), some_report());
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["run_status"], "complete");
  EXPECT_EQ(json["server"], "127.0.0.1:7000");
  EXPECT_EQ(json["model"], "closed");
  EXPECT_EQ(json["connections"], 10);
  EXPECT_EQ(json["idle"], 5);
  EXPECT_EQ(json["size_bytes"], 64);
  EXPECT_EQ(json["depth"], 2);
  EXPECT_EQ(json["threads"], 1);
  EXPECT_EQ(json["connect_s"], 0.25);
  EXPECT_EQ(json["duration_s"], 2.0);
  EXPECT_EQ(json["echoes"], 1000);
  EXPECT_EQ(json["echoes_per_s"], 500.0);
  EXPECT_EQ(json["bytes_per_s"], 32'000.0);
  EXPECT_EQ(json["client_cpu_ns_per_echo"], 1'000'000.0);
  EXPECT_EQ(json["errors"], 0);
  for (const char* name : {"p25", "p50", "p75", "p90", "p95", "p99", "p99_9", "p99_99", "max"}) {
    EXPECT_EQ(json["latency_ns"][name], 2000) << name;
  }
  EXPECT_EQ(json["latency_ns"]["mean"], 2000.0);
}

TEST(LoadJson, HasJainsIndexOfWhatEachConnectionCompleted) {
  LoadReport report = some_report();
  report.tally.shares = 4;
  report.tally.share_sum = 400;
  report.tally.share_square_sum = 4 * 100 * 100;
  EXPECT_DOUBLE_EQ(load_json(some_options(), report)["fairness"].get<double>(), 1);
  report.tally.share_square_sum = 400.0 * 400;  // one of the four had all messages
  EXPECT_DOUBLE_EQ(load_json(some_options(), report)["fairness"].get<double>(), 0.25);
  LoadOptions churning = some_options();
  churning.churn = 3;
  EXPECT_TRUE(load_json(churning, report)["fairness"].is_null());
}

TEST(LoadJson, HasNullForWhatWasNotMeasured) {
  LoadReport report;
  report.interrupted = true;
  const auto json = load_json(some_options(), report);
  EXPECT_EQ(json["run_status"], "interrupted");
  EXPECT_TRUE(json["echoes_per_s"].is_null());
  EXPECT_TRUE(json["bytes_per_s"].is_null());
  EXPECT_TRUE(json["client_cpu_ns_per_echo"].is_null());
  EXPECT_EQ(json["latency_ns"].size(), 10U);
  for (const auto& [name, value] : json["latency_ns"].items()) EXPECT_TRUE(value.is_null()) << name;
}

TEST(LoadJson, CountsErrorsByKind) {
  LoadReport report = some_report();
  report.tally.errors.add(LoadError::mismatch);
  report.tally.errors.add(LoadError::mismatch);
  report.tally.errors.add(LoadError::unanswered);
  const auto json = load_json(some_options(), report);
  EXPECT_EQ(json["errors"], 3);
  EXPECT_EQ(json["errors_by_kind"]["mismatch"], 2);
  EXPECT_EQ(json["errors_by_kind"]["unanswered"], 1);
  EXPECT_EQ(json["errors_by_kind"]["connect"], 0);
}

TEST(LoadJson, HasWhatChurnAdds) {
  LoadOptions options = some_options();
  EXPECT_FALSE(load_json(options, some_report()).contains("churn"));
  options.churn = 5;
  LoadReport report = some_report();
  for (int i = 0; i < 40; ++i) report.tally.first_echo_ns.record(1000);
  report.tally.closed = 38;
  report.tally.without_port = 2;
  report.tally.without_backlog = 1;
  const auto json = load_json(options, report);
  EXPECT_EQ(json["churn"], 5);
  EXPECT_EQ(json["connections_opened"], 40);
  EXPECT_EQ(json["connections_closed"], 38);
  EXPECT_EQ(json["connections_per_s"], 20.0);
  EXPECT_EQ(json["connections_without_port"], 2);
  EXPECT_EQ(json["connections_without_backlog"], 1);
  EXPECT_EQ(json["first_echo_ns"]["p99"], 1000);
  EXPECT_TRUE(json["littles_law_ratio"].is_null());
  EXPECT_EQ(json["not_trusted"].size(), 1U);
  const std::string text = load_text(options, report);
  EXPECT_THAT(text, HasSubstr("5 echoes per connection"));
  EXPECT_THAT(text, HasSubstr("40 opened and 38 closed, 20/s"));
  EXPECT_THAT(text, HasSubstr("2 connections for a port"));
}

TEST(LoadJson, HasLittlesLawOfAClosedLoop) {
  const auto json = load_json(some_options(), some_report());
  EXPECT_NEAR(json["littles_law_ratio"].get<double>(), 1000 * 2e-6 / (2 * 20), 1e-6);
  EXPECT_EQ(json["not_trusted"].size(), 1U);
}

TEST(LoadText, NamesTheModelAndTheUnits) {
  const std::string text = load_text(some_options(), some_report());
  EXPECT_THAT(text, HasSubstr("closed loop, depth 2"));
  EXPECT_THAT(text, HasSubstr("500 echo/s, 32.0 kB/s each way"));
  EXPECT_THAT(text, HasSubstr("2.0 us"));
  EXPECT_THAT(text, HasSubstr("errors       0\n"));
}

TEST(LoadText, IsThereWithoutAnyEcho) {
  const std::string text = load_text(some_options(), LoadReport{});
  EXPECT_THAT(text, HasSubstr("echoes       0 in 0.000 s"));
}

TEST(LoadFailureLine, SaysHowManyHowAndTheFirst) {
  LoadReport report = some_report();
  EXPECT_EQ(load_failure(report), "");
  report.tally.errors.add(LoadError::reset);
  report.tally.first_error = "connection 3: Connection reset by peer after 64 bytes";
  EXPECT_EQ(load_failure(report),
            "1 connection failed (reset 1); first: connection 3: Connection reset by peer after 64 "
            "bytes");
}

}  // namespace

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// 1,000 messages; all but `missing` came back after 1 ms, of which `lag_ns` are the client's.
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

/// Ten connections with two messages each in flight for a second; a message takes 1 ms.
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
  run.report.tally.latency_outside_ns = -2'000'000'000;  // all stall for the last 0.1 s
  EXPECT_NEAR(littles_law_ratio(run.options, run.report).value(), 0.9, 0.001);
  EXPECT_THAT(why_not_trusted(run.options, run.report), IsEmpty());
  run.report.tally.latency_outside_ns = 2'000'000'000;
  EXPECT_THAT(why_not_trusted(run.options, run.report), ElementsAre(HasSubstr("is 80.0 % of")));
}

/// Consecutive messages of 1 ms, and then of `ms`, in a window of a second.
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
  EXPECT_THAT(doubts_of_a_stall(1'000, 1, 190), IsEmpty()) << "a busy machine causes such a delay";
  EXPECT_THAT(doubts_of_a_stall(0, 2, 600), IsEmpty()) << "all messages take that long";
}

TEST(LittlesLaw, IsNotForOthers) {
  ClosedRun run = closed_run(1);
  run.options.churn = 1;
  EXPECT_FALSE(littles_law_ratio(run.options, run.report));
  EXPECT_THAT(why_not_trusted(run.options, run.report), IsEmpty());
  run.options.churn.reset();
  run.options.rate = 1;
  EXPECT_FALSE(littles_law_ratio(run.options, run.report));
  EXPECT_FALSE(littles_law_ratio(LoadOptions{}, LoadReport{})) << "the window never began";
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
