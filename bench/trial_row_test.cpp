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
  row.size_bytes = 64;
  row.depth = 1;
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

TEST(TrialRow, MetricsThatWereNotThereYetWereNotMeasured) {
  const std::string last = "," + std::string(kMetricNames.back());
  std::string csv = replaced(as_csv(sample_row()), last, "");
  csv.erase(csv.size() - 2, 1);  // its field, which is empty
  const auto rows = trial_rows(parse_csv(csv, "trials.csv"));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].outcome.metrics[Metric::echoes_per_s], 123456.78901234567);
  EXPECT_TRUE(std::isnan(rows[0].outcome.metrics[Metric{kMetricNames.size() - 1}]));
}

TEST(TrialRow, NamesWhatItCannotRead) {
  const std::string csv = as_csv(sample_row());
  EXPECT_THAT(message_for(replaced(csv, "depth", "deep")), HasSubstr("no column depth"));
  EXPECT_THAT(message_for(replaced(csv, "2,1000,50", "two,1000,50")),
              HasSubstr("record 1: threads \"two\" is not a number"));
  EXPECT_THAT(message_for(replaced(csv, "failed", "fine")), HasSubstr("status \"fine\""));
}

}  // namespace
}  // namespace muxlab
