#include "bench/load/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace muxlab {
namespace {

TEST(HistogramBuckets, AreThoseOfHdrHistogram) {
  struct Row {
    std::uint64_t value;
    std::size_t index;
    std::uint64_t lowest;
    std::uint64_t width;
  };
  const Row rows[] = {
      {0, 0, 0, 1},
      {1, 1, 1, 1},
      {2047, 2047, 2047, 1},
      {2048, 2048, 2048, 2},
      {2049, 2048, 2048, 2},
      {4095, 3071, 4094, 2},
      {4096, 3072, 4096, 4},
      {123'456, 8073, 123'456, 64},
      {1'000'000, 11'169, 999'936, 512},
      {59'999'999'999, 27'388, 59'995'324'416, 33'554'432},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.value);
    EXPECT_EQ(Histogram::index_of(row.value), row.index);
    EXPECT_EQ(Histogram::lowest_value(row.index), row.lowest);
    EXPECT_EQ(Histogram::width(row.index), row.width);
  }
}

TEST(HistogramBuckets, FollowOneAnotherWithoutGapUpToTheHighestValue) {
  std::uint64_t next = 0;
  for (std::size_t index = 0; index < Histogram::kBuckets; ++index) {
    ASSERT_EQ(Histogram::lowest_value(index), next);
    next += Histogram::width(index);
    ASSERT_EQ(Histogram::index_of(next - 1), index);
  }
  EXPECT_EQ(next - 1, Histogram::kHighest);
  EXPECT_EQ(Histogram().counts().size_bytes(), 221'184U);
}

/// The random sequence of the reference figures below.
class XorShift {
 public:
  std::uint64_t operator()() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  std::uint64_t state_ = 88'172'645'463'325'252;
};

std::uint64_t skewed_value(XorShift& random) {
  const std::uint64_t x = random();
  const std::uint64_t bits = 10 + (x >> 60);
  return (x & 0xffff'ffff) % (std::uint64_t{1} << bits) + 1;
}

TEST(Histogram, ReportsWhatHdrHistogramReportsForAMillionValues) {
  Histogram histogram;
  XorShift random;
  for (int i = 0; i < 1'000'000; ++i) histogram.record(skewed_value(random));
  EXPECT_EQ(histogram.count(), 1'000'000U);
  EXPECT_EQ(histogram.dropped(), 0U);
  EXPECT_EQ(histogram.value_at_percentile(50), 66'623U);
  EXPECT_EQ(histogram.value_at_percentile(90), 6'733'823U);
  EXPECT_EQ(histogram.value_at_percentile(99), 28'246'015U);
  EXPECT_EQ(histogram.value_at_percentile(99.9), 33'030'143U);
  EXPECT_EQ(histogram.value_at_percentile(99.99), 33'505'279U);
  EXPECT_EQ(histogram.value_at_percentile(100), 33'554'431U);
  EXPECT_EQ(histogram.max(), 33'554'431U);
  EXPECT_NEAR(histogram.mean(), 2'100'697.344974, 5e-7);
}

TEST(Histogram, MergedIsTheSameAsRecordedInOne) {
  Histogram all;
  Histogram parts[3];
  XorShift random;
  for (std::size_t i = 0; i < 30'000; ++i) {
    const std::uint64_t value = skewed_value(random);
    all.record(value);
    parts[i % 3].record(value);
  }
  parts[1].record(Histogram::kHighest + 1);
  Histogram merged;
  for (const Histogram& part : parts) merged.merge(part);
  EXPECT_TRUE(std::ranges::equal(merged.counts(), all.counts()));
  EXPECT_EQ(merged.count(), all.count());
  EXPECT_EQ(merged.dropped(), 1U);
}

TEST(Histogram, ReportsZeroWhenEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.value_at_percentile(50), 0U);
}

TEST(Histogram, DropsValuesOutOfRangeAndClampsNone) {
  Histogram histogram;
  histogram.record(Histogram::kHighest + 1);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.dropped(), 2U);
  histogram.record(0);
  histogram.record(Histogram::kHighest);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.dropped(), 2U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), Histogram::kHighest);
}

TEST(Histogram, GivesTheLowestValueOfTheBucketForPercentileZero) {
  Histogram histogram;
  histogram.record(123'500);
  EXPECT_EQ(histogram.value_at_percentile(0), 123'456U);
  EXPECT_EQ(histogram.value_at_percentile(1e-9), 123'519U);
  EXPECT_EQ(histogram.value_at_percentile(100), 123'519U);
}

/// The harness adds the counts of a load process in this way.
TEST(Histogram, CountsCanBeAddedAndForgotten) {
  Histogram sent, received;
  for (const std::uint64_t value : {5U, 5U, 7'000U, 1'000'000U}) sent.record(value);
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    if (sent.counts()[i] > 0) received.add(i, sent.counts()[i]);
  }
  EXPECT_EQ(received.count(), 4U);
  EXPECT_EQ(received.value_at_percentile(50), sent.value_at_percentile(50));
  EXPECT_EQ(received.max(), sent.max());
  received.clear();
  EXPECT_EQ(received.count(), 0U);
  EXPECT_EQ(received.max(), 0U);
  received.record(9);
  EXPECT_EQ(received.value_at_percentile(99), 9U);
}

}  // namespace
}  // namespace muxlab
