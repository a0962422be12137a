#include "bench/trial_row.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

using testing::HasSubstr;

TrialRow sample_row() {
  TrialRow row;
  row.round = 2;
  row.order = 5;
  row.experiment = "throughput";
  row.cell = {"epoll-lt", "reuseport", 2, 1000, 50};
  row.cell.size_bytes = 1024;
  row.cell.rate_per_s = 5000;
  row.cell.unix_sockets = true;
  row.attempt = 3;
  row.outcome.status = TrialStatus::failed;
  row.outcome.reason = "client said \"no\", twice";
  row.outcome.metrics[Metric::echoes_per_s] = 123456.78901234567;
  return row;
}

std::string as_csv(const TrialRow& row) {
  return csv_record(trial_header()) + csv_record(trial_record(row));
}

std::string message_for(const std::string& csv) {
  try {
    (void)trial_rows(parse_csv(csv, "trials.csv"));
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "read without an error";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(TrialRow, ReadsBackWhatItWrote) {
  const TrialRow row = sample_row();
  const auto rows = trial_rows(parse_csv(as_csv(row), "trials.csv"));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].cell, row.cell);
  EXPECT_EQ(rows[0].order, 5U);
  EXPECT_EQ(rows[0].attempt, 3U);
  EXPECT_EQ(rows[0].outcome.status, TrialStatus::failed);
  EXPECT_EQ(rows[0].outcome.reason, row.outcome.reason);
  EXPECT_EQ(rows[0].outcome.metrics[Metric::echoes_per_s], 123456.78901234567);
  EXPECT_TRUE(std::isnan(rows[0].outcome.metrics[Metric::errors]));
}

TEST(TrialRow, ColumnsMayMoveAndBeAdded) {
  std::string csv = as_csv(sample_row());
  csv = replaced(csv, "round,order,", "order,round,");
  csv = replaced(csv, "\n", ",new\n");
  csv.insert(csv.size() - 1, ",7");
  const auto rows = trial_rows(parse_csv(csv, "trials.csv"));
  EXPECT_EQ(rows[0].order, 2U);
}

/// As it was before gates, rates and other transports were there.
TEST(TrialRow, ReadsFilesOfEarlierVersions) {
  CsvTable table = parse_csv(as_csv(sample_row()), "trials.csv");
  for (const std::string_view column :
       {"attempt", "transport", "rate_per_s", "limiter", "canary_ns", "steal_share",
        "client_runqueue_wait_share", "latency_ns_p99_99"}) {
    const auto at = static_cast<std::ptrdiff_t>(table.column(column));
    table.header.erase(table.header.begin() + at);
    table.records[0].erase(table.records[0].begin() + at);
  }
  const TrialRow row = trial_rows(table).at(0);
  EXPECT_EQ(row.attempt, 1U);
  EXPECT_EQ(row.cell.rate_per_s, 0U);
  EXPECT_FALSE(row.cell.unix_sockets);
  EXPECT_TRUE(std::isnan(row.outcome.metrics[Metric::canary_ns]));
  EXPECT_EQ(row.outcome.metrics[Metric::echoes_per_s], 123456.78901234567);
}

TEST(TrialRow, NamesWhatItCannotRead) {
  const std::string csv = as_csv(sample_row());
  EXPECT_THAT(message_for(replaced(csv, "depth", "deep")), HasSubstr("no column depth"));
  EXPECT_THAT(message_for(replaced(csv, "2,1000,50", "two,1000,50")),
              HasSubstr("record 1: threads \"two\" is not a number"));
  EXPECT_THAT(message_for(replaced(csv, "failed", "fine")), HasSubstr("status \"fine\""));
  EXPECT_THAT(message_for(replaced(csv, ",unix,", ",udp,")), HasSubstr("transport \"udp\""));
}

}  // namespace
}  // namespace muxlab
