#include "bench/data/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string record(const std::vector<std::string>& fields) { return csv_record(fields); }

std::string message_for(std::string_view text) {
  try {
    parse_csv(text, "trials.csv");
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::usage);
    return failure.what();
  }
  return "read without an error";
}

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(record({"plain", "with space", ""}), "plain,with space,\n");
  EXPECT_EQ(record({"a,b", "say \"no\"", "two\nlines"}),
            "\"a,b\",\"say \"\"no\"\"\",\"two\nlines\"\n");
  EXPECT_EQ(record({"", "first is empty"}), ",first is empty\n");
}

TEST(Csv, ReadsBackWhatItWrote) {
  const std::vector<std::string> fields = {"", "a,b", "\"", "x\r\ny", "\n", "z"};
  const auto table = parse_csv("1,2,3,4,5,6\n" + csv_record(fields), "trials.csv");
  ASSERT_EQ(table.records.size(), 1U);
  EXPECT_EQ(table.records[0], fields);
}

TEST(Csv, AcceptsCarriageReturns) {
  const auto table = parse_csv("a,b\r\n1,2\r\n", "trials.csv");
  EXPECT_THAT(table.header, ElementsAre("a", "b"));
  EXPECT_THAT(table.records[0], ElementsAre("1", "2"));
  EXPECT_EQ(table.column("b"), 1U);
}

TEST(Csv, NamesTheBrokenLine) {
  EXPECT_THAT(message_for(""), HasSubstr("empty"));
  EXPECT_THAT(message_for("a,b\n1\n"), HasSubstr("line 2 has 1 fields instead of 2"));
  EXPECT_THAT(message_for("a,b\n1,2\n3,4"), HasSubstr("line 3 is cut off"));
  EXPECT_THAT(message_for("a,b\n1,\"2\n"), HasSubstr("line 2 has a quote that is never closed"));
  EXPECT_THAT(message_for("a,b\n1,\"2\"x\n"), HasSubstr("line 2"));
}

TEST(Csv, NamesTheMissingColumnOrFile) {
  EXPECT_THROW((void)parse_csv("a,b\n", "trials.csv").column("c"), Failure);
  EXPECT_THROW(read_csv("/nowhere/trials.csv"), Failure);
}

}  // namespace
}  // namespace muxlab
