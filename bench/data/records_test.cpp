#include "bench/data/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/parts/failure.hpp"
#include "bench/data/csv.hpp"
#include "bench/data/files.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RecordsTest : public testing::Test {
 protected:
  RecordsTest() {
    std::string name = testing::TempDir() + "records-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static RigRecord record(const std::string& backend, std::uint64_t rig) {
    RigRecord record;
    record.cell.backend = backend;
    record.cell.threading = "single";
    record.cell.connections = 100;
    record.placement = Placement::shared;
    record.rig = rig;
    record.look = 1;
    record.build_s = 0.125;
    record.seconds = 2.5;
    record.stolen_share = 0.01;
    record.baseline = "epoll-lt";
    record.summaries[Metric::cpu] = {.blocks = 30,
                                     .trimmed_mean = -0.0123456789,
                                     .winsorised_variance = 1.5e-5,
                                     .stretches = 3,
                                     .stretch_variance = 0.25};
    record.slices = 31;
    record.broken = 1;
    record.reason = "no answer, \"for\" 2 s";
    record.echoes = 12'345'678'901;
    record.bytes = 3;
    record.cpu_ns = 4;
    record.calls = {5, 6, 7, 8, 9, 10};
    record.events = 11;
    record.elapsed_ns = 12;
    record.client_cpu_ns = 13;
    record.fairness = 0.5;
    record.latency_ns = {1, 2, 3, 4, 5, 6, 7, 8};
    record.call_ns = {9, 8, 7, 6, 5, 4};
    record.first_echo_ns_p99 = 77;
    record.kernel_bytes = 88;
    return record;
  }

  /// Returns the error of read_records() for a file with one changed field in its first record.
  [[nodiscard]] std::string message_with(const std::string& column,
                                         const std::string& value) const {
    const std::vector<std::string> header = record_header();
    std::vector<std::string> fields = record_fields(record("poll", 0));
    fields[static_cast<std::size_t>(std::ranges::find(header, column) - header.begin())] = value;
    write_whole(folder_ / "records.csv", csv_record(header) + csv_record(fields));
    try {
      (void)read_records(folder_);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.code(), ExitCode::usage);
      return failure.what();
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(RecordsTest, AreReadAsTheyWereWritten) {
  const std::vector<RigRecord> written = {record("epoll-lt", 0), record("poll", 0),
                                          record("poll", 1)};
  write_records(folder_, written);
  const std::vector<RigRecord> read = read_records(folder_);
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(record_fields(read[i]), record_fields(written[i]));
    EXPECT_EQ(read[i].cell, written[i].cell);
    EXPECT_EQ(read[i].echoes, 12'345'678'901U);
    EXPECT_EQ(read[i].reason, "no answer, \"for\" 2 s");
  }
  EXPECT_TRUE(read[0].is_baseline());
  EXPECT_EQ(record_header().size(), record_fields(written[0]).size());
}

TEST_F(RecordsTest, BadDataIsNamedWithItsLine) {
  EXPECT_EQ(message_with("threads", "1"), "");
  EXPECT_THAT(message_with("threads", "one"),
              AllOf(HasSubstr("records.csv line 2"), HasSubstr("\"one\""), HasSubstr("threads")));
  EXPECT_THAT(message_with("server_cpu_ns_per_echo_n", "-1"), HasSubstr("line 2"));
  EXPECT_THAT(message_with("echoes", "99999999999999999999999"), HasSubstr("echoes"));
  EXPECT_THAT(message_with("latency_ns_p99_trimmed_mean", "nan"), HasSubstr("trimmed_mean"));
  EXPECT_THAT(message_with("server_cpu_ns_per_echo_trimmed_mean", "inf"),
              HasSubstr("trimmed_mean"));
  EXPECT_THAT(message_with("first_echo_ns_p50_winsorised_variance", "-1"), HasSubstr("below 0"));
  EXPECT_THAT(message_with("placement", "far"), HasSubstr("\"far\""));
  EXPECT_THAT(message_with("look", "3"), HasSubstr("look 3"));
}

TEST_F(RecordsTest, WhatIsZeroTakesNoRoom) {
  const std::string line = csv_record(record_fields(RigRecord{}));
  EXPECT_LE(line.size(), record_header().size() + 60);
  EXPECT_EQ(message_with("echoes", ""), "");
  EXPECT_THAT(message_with("rig", ""), HasSubstr("\"\""));
  EXPECT_THAT(message_with("connections", ""), HasSubstr("\"\""));
}

TEST_F(RecordsTest, ARigHasEachContenderOnce) {
  const std::vector<RigRecord> twice = {record("poll", 0), record("poll", 0)};
  write_records(folder_, twice);
  EXPECT_THROW((void)read_records(folder_), Failure);
}

TEST_F(RecordsTest, NoRigOfTheBaselineIsMissing) {
  const std::vector<RigRecord> gap = {record("epoll-lt", 0), record("epoll-lt", 2)};
  write_records(folder_, gap);
  EXPECT_THROW((void)read_records(folder_), Failure);
}

TEST_F(RecordsTest, ReasonsHaveNoControlCharacters) {
  RigRecord odd = record("poll", 0);
  odd.reason = "a\nb\033[31mc";
  write_records(folder_, std::vector{odd});
  EXPECT_EQ(read_records(folder_).front().reason, "a b [31mc");
}

TEST_F(RecordsTest, AnotherSchemaIsRefused) {
  write_whole(folder_ / "records.csv", "backend,echoes\npoll,1\n");
  EXPECT_THROW((void)read_records(folder_), Failure);
  std::filesystem::remove(folder_ / "records.csv");
  EXPECT_THROW((void)read_records(folder_), Failure);
}

}  // namespace
}  // namespace muxlab
