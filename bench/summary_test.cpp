#include "bench/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/summary_table.hpp"

namespace muxlab {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;

TrialRow trial(const std::string& backend, std::uint64_t threads, std::uint64_t connections,
               TrialStatus status, double echoes_per_s) {
  TrialRow row;
  row.experiment = "throughput";
  row.cell = {backend, threads == 1 ? "single" : "reuseport", threads, connections, 0};
  row.outcome.status = status;
  row.outcome.metrics[Metric::echoes_per_s] = echoes_per_s;
  return row;
}

const std::vector<std::string> backend_names = {"select", "epoll-lt"};

TEST(Summary, TakesOnlyTrialsThatAreOk) {
  const std::vector<TrialRow> trials = {trial("select", 1, 100, TrialStatus::ok, 30),
                                        trial("select", 1, 100, TrialStatus::ok, 10),
                                        trial("select", 1, 100, TrialStatus::failed, 1000),
                                        trial("select", 1, 100, TrialStatus::ok, 20)};
  const auto rows = summarise(trials, backend_names);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].trials, 3U);
  EXPECT_EQ(rows[0].failed, 1U);
  EXPECT_EQ(rows[0].spread(Metric::echoes_per_s)->median, 20);
  EXPECT_EQ(rows[0].spread(Metric::echoes_per_s)->max, 30);
  EXPECT_FALSE(rows[0].spread(Metric::errors));
}

TEST(Summary, OrderOfTheTrialsDoesNotShow) {
  std::vector<TrialRow> trials = {trial("epoll-lt", 2, 100, TrialStatus::ok, 1),
                                  trial("epoll-lt", 1, 1000, TrialStatus::ok, 2),
                                  trial("epoll-lt", 1, 100, TrialStatus::ok, 3),
                                  trial("select", 1, 100, TrialStatus::unsupported, 0)};
  const std::string forward = summary_csv(summarise(trials, backend_names));
  std::reverse(trials.begin(), trials.end());
  EXPECT_EQ(summary_csv(summarise(trials, backend_names)), forward);
  std::vector<std::string> names;
  for (const SummaryRow& row : summarise(trials, backend_names)) names.push_back(row.cell.backend);
  EXPECT_THAT(names, ElementsAre("select", "epoll-lt", "epoll-lt", "epoll-lt"));
}

TEST(Summary, CountsTheTrialsOfPointsThatHaveAny) {
  const std::vector<TrialRow> trials = {trial("select", 1, 100, TrialStatus::ok, 1),
                                        trial("select", 1, 100, TrialStatus::ok, 1),
                                        trial("epoll-lt", 1, 100, TrialStatus::ok, 1),
                                        trial("epoll-lt", 2, 100, TrialStatus::failed, 1)};
  const TrialCount count = count_trials(summarise(trials, backend_names));
  EXPECT_EQ(count.min, 1U);
  EXPECT_EQ(count.max, 2U);
  EXPECT_EQ(count_trials({}).max, 0U);
}

TEST(Summary, CsvHasMedianMinAndMaxOfEachMetric) {
  const std::vector<TrialRow> trials = {trial("select", 1, 100, TrialStatus::ok, 30)};
  const CsvTable table = parse_csv(summary_csv(summarise(trials, backend_names)), "summary.csv");
  for (const std::string_view metric : kMetricNames) {
    for (const char* part : {"_median", "_min", "_max", "_low", "_high"}) {
      EXPECT_NO_THROW((void)table.column(std::string(metric) + part));
    }
  }
  EXPECT_EQ(table.records[0][table.column("errors_min")], "");
  EXPECT_EQ(table.records[0][table.column("echoes_per_s_max")], "30");
}

TrialRow with_util(TrialRow row, double server, double client) {
  row.outcome.metrics[Metric::server_cpu_util] = server;
  row.outcome.metrics[Metric::client_cpu_util] = client;
  return row;
}

TEST(Summary, OfDisturbedTrialsOnlyWhereThereIsNoOther) {
  const std::vector<TrialRow> trials = {trial("select", 1, 100, TrialStatus::ok, 30),
                                        trial("select", 1, 100, TrialStatus::untrusted, 10),
                                        trial("epoll-lt", 1, 100, TrialStatus::untrusted, 20)};
  const auto rows = summarise(trials, backend_names);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].spread(Metric::echoes_per_s)->min, 30);
  EXPECT_EQ(rows[0].untrusted, 1U);
  EXPECT_EQ(rows[1].spread(Metric::echoes_per_s)->median, 20);
  EXPECT_EQ(rows[1].trials, 0U);
  EXPECT_EQ(count_trials(rows).min, 0U) << "a point without an undisturbed trial counts";
  const std::string table = summary_table(rows, "");
  EXPECT_THAT(table, HasSubstr("(1 disturbed)"));
  EXPECT_THAT(table, HasSubstr("(1 disturbed, no other)"));
  EXPECT_THAT(table, HasSubstr("Disturbed: at 1 of these points"));
}

TEST(Summary, ARateThatTheClientLimitedIsNotShown) {
  const auto by_client = with_util(trial("select", 1, 100, TrialStatus::ok, 54321), 0.5, 0.99);
  const auto by_both = with_util(trial("epoll-lt", 1, 100, TrialStatus::ok, 76543), 0.99, 0.99);
  const auto rows = summarise(std::vector{by_client, by_client, by_both}, backend_names);
  EXPECT_EQ(rows[0].limiter, Limiter::client);
  EXPECT_FALSE(rows[0].spread(Metric::echoes_per_s));
  const std::string table = summary_table(rows, "");
  EXPECT_THAT(table, HasSubstr("client-bound"));
  EXPECT_THAT(table, testing::Not(HasSubstr("54,321")));
  EXPECT_THAT(table, HasSubstr(">= 76,543"));
  EXPECT_THAT(summary_csv(rows), testing::Not(HasSubstr("54321")));
}

TEST(SummaryTable, ShowsEveryCellAndTheCaution) {
  const std::vector<TrialRow> trials = {trial("select", 1, 5000, TrialStatus::unsupported, 0),
                                        trial("epoll-lt", 1, 5000, TrialStatus::ok, 1234567),
                                        trial("epoll-lt", 2, 5000, TrialStatus::failed, 0)};
  const std::string table = summary_table(summarise(trials, backend_names), "quick: too few");
  EXPECT_THAT(table, HasSubstr("1 thread (single)"));
  EXPECT_THAT(table, HasSubstr("2 threads (reuseport)"));
  std::vector<TrialRow> predicted = {trials[1]};
  predicted[0].outcome.metrics[Metric::syscalls_per_echo] = 2.04;
  predicted[0].outcome.metrics[Metric::syscalls_predicted_per_echo] = 2.03;
  EXPECT_THAT(summary_table(summarise(predicted, backend_names), ""),
              ContainsRegex("2\\.04 +2\\.03 "));
  std::vector<TrialRow> two_engines = {trials[1], trials[1]};
  two_engines[0].cell.engine = "epoll";
  EXPECT_THAT(summary_table(summarise(two_engines, backend_names), ""),
              HasSubstr("1 thread (single), epoll client\n"));
  EXPECT_THAT(table, HasSubstr("1,234,567"));
  EXPECT_THAT(table, HasSubstr("5k unsupported"));
  EXPECT_THAT(table, HasSubstr("5k failed"));
  EXPECT_THAT(table, HasSubstr("Caution: quick: too few."));
}

}  // namespace
}  // namespace muxlab
