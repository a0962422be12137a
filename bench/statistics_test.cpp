#include "bench/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

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

TEST(Statistics, TakesTheIntervalOfAMedianFromTheBinomialDistribution) {
  EXPECT_FALSE(median_interval({1, 2, 3, 4, 5}));
  const auto six = median_interval({6, 1, 2, kMissing, 3, 4, 5});
  ASSERT_TRUE(six);
  EXPECT_EQ(six->low, 1);
  EXPECT_EQ(six->high, 6);
  const auto ten = median_interval({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_EQ(ten->low, 2);
  EXPECT_EQ(ten->high, 9);
}

TEST(Statistics, CoversTheMedianAsOftenAsItSays) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> skewed(0, 1);  // of which the median is 1
  for (const std::size_t count : {7U, 10U, 30U}) {
    constexpr int kTimes = 4000;
    int covered = 0;
    for (int time = 0; time < kTimes; ++time) {
      std::vector<double> values(count);
      for (double& value : values) value = skewed(random);
      const auto interval = median_interval(std::move(values));
      covered += interval->low <= 1 && 1 <= interval->high ? 1 : 0;
    }
    EXPECT_GE(covered, 0.94 * kTimes) << count;
    EXPECT_LE(covered, 0.99 * kTimes) << count;
  }
}

/// Pairs whose first is `factor` times the second, but for noise of its own in each of about
/// `noise`, and for what a round does to both.
std::vector<std::pair<double, double>> pairs(std::mt19937_64& random, std::size_t count,
                                             double factor, double noise) {
  std::lognormal_distribution<double> own(0, noise);
  std::lognormal_distribution<double> shared(0, 0.3);
  std::vector<std::pair<double, double>> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double round = shared(random);
    values.emplace_back(factor * round * own(random), round * own(random));
  }
  return values;
}

TEST(Statistics, FindsNoDifferenceWhereThereIsNoneInNineteenOfTwenty) {
  std::mt19937_64 random(2);
  for (const std::size_t count : {7U, 10U}) {
    constexpr int kTimes = 4000;
    int found = 0;
    int covered = 0;
    for (int time = 0; time < kTimes; ++time) {
      const auto ratio = paired_ratio(pairs(random, count, 1, 0.1));
      found += ratio->p <= 0.05 ? 1 : 0;
      covered += ratio->interval.low <= 1 && 1 <= ratio->interval.high ? 1 : 0;
    }
    EXPECT_LE(found, 0.06 * kTimes) << count;
    EXPECT_EQ(found + covered, kTimes) << "the interval and the test say the same";
  }
}

TEST(Statistics, FindsADifferenceOfATenthInNineOfTen) {
  std::mt19937_64 random(3);
  constexpr int kTimes = 1000;
  int found = 0;
  for (int time = 0; time < kTimes; ++time) {
    const auto ratio = paired_ratio(pairs(random, 10, 1.1, 0.05));
    found += ratio->p <= 0.05 && ratio->ratio > 1 ? 1 : 0;
  }
  EXPECT_GE(found, 0.9 * kTimes);
}

TEST(Statistics, TakesTheGeometricMeanOfRatios) {
  const std::vector<std::pair<double, double>> values = {{2, 1}, {1, 2}, {kMissing, 1}, {0, 1}};
  const auto ratio = paired_ratio(values);
  ASSERT_TRUE(ratio);
  EXPECT_EQ(ratio->pairs, 2U);
  EXPECT_NEAR(ratio->ratio, 1, 1e-12) << "their arithmetic mean is 1.25";
  EXPECT_FALSE(paired_ratio(std::span(values).first(1)));
}

TEST(Statistics, CorrectsForManyTests) {
  const std::vector<double> corrected = corrected_for_many(std::vector{0.01, 0.04, 0.03, 0.9});
  const std::vector<double> expected = {0.04, 0.09, 0.09, 0.9};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(corrected[i], expected[i], 1e-12);
  EXPECT_TRUE(corrected_for_many({}).empty());

  // Twenty comparisons of the same with the same: without correction most campaigns would find one.
  std::mt19937_64 random(4);
  constexpr int kCampaigns = 400;
  int wrong = 0;
  for (int campaign = 0; campaign < kCampaigns; ++campaign) {
    std::vector<double> p_values(20);
    for (double& p : p_values) p = paired_ratio(pairs(random, 10, 1, 0.1))->p;
    wrong += std::ranges::min(corrected_for_many(p_values)) <= 0.05 ? 1 : 0;
  }
  EXPECT_LE(wrong, 0.08 * kCampaigns);
}

}  // namespace
}  // namespace muxlab
