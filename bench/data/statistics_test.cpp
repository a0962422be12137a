#include "bench/data/statistics.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace muxlab {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

TEST(Statistics, MedianOfAnOddCountIsTheMiddleOne) {
  const auto spread = spread_of({3, 100, 1});
  ASSERT_TRUE(spread);
  EXPECT_EQ(spread->median, 3);
  EXPECT_EQ(spread->min, 1);
  EXPECT_EQ(spread->max, 100);
}

TEST(Statistics, MedianOfAnEvenCountIsTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(spread_of({4, 1, 3, 2})->median, 2.5);
}

TEST(Statistics, OneValueIsItsOwnSpread) {
  const auto spread = spread_of({7});
  EXPECT_EQ(spread->median, 7);
  EXPECT_EQ(spread->min, 7);
  EXPECT_EQ(spread->max, 7);
}

TEST(Statistics, LeavesOutWhatWasNotMeasured) {
  EXPECT_EQ(spread_of({kMissing, 5, kMissing, 9, 6})->median, 6);
  EXPECT_FALSE(spread_of({kMissing}));
  EXPECT_FALSE(spread_of({}));
}

TEST(Statistics, KnowsStudentsDistribution) {
  // From printed tables: what t exceeds, on both sides, in 5 and in 1 of 100 cases.
  EXPECT_NEAR(two_sided_p(12.706, 1), 0.05, 1e-5);
  EXPECT_NEAR(two_sided_p(2.447, 6), 0.05, 1e-4);
  EXPECT_NEAR(two_sided_p(3.250, 9), 0.01, 1e-4);
  EXPECT_NEAR(two_sided_p(1.984, 100), 0.05, 1e-4);
  EXPECT_NEAR(two_sided_p(0, 5), 1, 1e-12);
  EXPECT_LT(two_sided_p(100, 9), 1e-13);
}

}  // namespace
}  // namespace muxlab
