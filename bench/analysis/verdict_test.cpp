#include "bench/analysis/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "bench/data/statistics.hpp"

namespace muxlab {
namespace {

using testing::DoubleNear;

std::vector<double> every(double step, std::size_t count) {
  std::vector<double> at(count);
  for (std::size_t i = 0; i < count; ++i) at[i] = step * static_cast<double>(i);
  return at;
}

RigSummary summary_of(const std::vector<double>& values, double block_s = 0.1) {
  return summarize(values, every(block_s, values.size()));
}

/// A rig of independent blocks around `middle`.
RigSummary simulated_rig(std::mt19937_64& random, double middle, double deviation,
                         std::size_t blocks = 40) {
  std::normal_distribution<double> noise(middle, deviation);
  std::vector<double> values(blocks);
  for (double& value : values) value = noise(random);
  return summary_of(values);
}

TEST(Summarize, TrimsATenthAtEachEnd) {
  const RigSummary rig = summary_of({100, 2, 3, 4, 5, 6, 7, 8, 9, -50});
  EXPECT_EQ(rig.blocks, 10U);
  EXPECT_DOUBLE_EQ(rig.trimmed_mean, 5.5) << "of 2 to 9";
  // Winsorised: 2 2 3 4 5 6 7 8 9 9.
  EXPECT_NEAR(rig.winsorised_variance, 66.5 / 9, 1e-12);
}

TEST(Summarize, TrimsAPartOfABlock) {
  // Half of the first and of the last of five.
  const RigSummary rig = summary_of({100, 2, 3, 4, -90});
  EXPECT_DOUBLE_EQ(rig.trimmed_mean, (0.5 * 100 + 2 + 3 + 4 + 0.5 * -90) / 4);
  // They move half of the way to their neighbours: -44 2 3 4 52.
  EXPECT_NEAR(rig.winsorised_variance, 1152.8, 1e-9);
}

TEST(Summarize, KeepsOneOrTwoBlocks) {
  EXPECT_DOUBLE_EQ(summary_of({1, 2}).trimmed_mean, 1.5);
  EXPECT_DOUBLE_EQ(summary_of({1, 2}).winsorised_variance, 0.5);
  EXPECT_EQ(summary_of({}).blocks, 0U);
  EXPECT_EQ(summary_of({3}).winsorised_variance, 0);
}

TEST(Summarize, StretchesAreOfASecond) {
  // Two stretches of five blocks, whose means are 0 and 1.
  const RigSummary rig = summary_of({0, 0, 0, 0, 0, 1, 1, 1, 1, 1}, 0.2);
  EXPECT_EQ(rig.stretches, 2U);
  EXPECT_DOUBLE_EQ(rig.stretch_variance, 2.5) << "5 x 0.25, twice, per degree of freedom";
  EXPECT_EQ(summary_of({1, 2, 3}, 2).stretches, 0U) << "blocks that take longer than a second";
}

TEST(Inflation, IsOneForIndependentBlocks) {
  std::mt19937_64 random(1);
  std::vector<std::vector<RigSummary>> comparisons(40);
  for (auto& rigs : comparisons) {
    for (int i = 0; i < 8; ++i) rigs.push_back(simulated_rig(random, 0, 0.1));
  }
  const Inflation inflation = inflation_of(comparisons, 4);
  EXPECT_GE(inflation.f, 1);
  EXPECT_LT(inflation.f, 1.2);
  EXPECT_EQ(inflation.rigs, 8U);
}

TEST(Inflation, SeesRigsThatLieFurtherApart) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> between(0, 0.1 / std::sqrt(40));  // as much again as within
  std::vector<std::vector<RigSummary>> comparisons(40);
  for (auto& rigs : comparisons) {
    for (int i = 0; i < 8; ++i) rigs.push_back(simulated_rig(random, between(random), 0.1));
  }
  EXPECT_THAT(inflation_of(comparisons, 4).f, DoubleNear(2, 0.3));
}

TEST(Inflation, SeesStretchesThatLieFurtherApart) {
  std::vector<double> values;
  for (int i = 0; i < 80; ++i) values.push_back((i / 10) % 2 == 0 ? 0.1 : -0.1);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += i % 2 == 0 ? 0.05 : -0.05;
  const std::vector<std::vector<RigSummary>> comparisons(
      3, std::vector<RigSummary>(4, summary_of(values)));
  EXPECT_GT(inflation_of(comparisons, 2).f, 5);
}

TEST(Inflation, OfFewRigsIsTheLargestOfAllLoads) {
  const Inflation own{.f = 1.5, .degrees = 3, .rigs = 2};
  const std::vector<Inflation> others = {{.f = 2, .degrees = 20, .rigs = 8},
                                         {.f = 1, .degrees = 30, .rigs = 8}};
  EXPECT_EQ(inflation_with(own, others).f, 2);
  EXPECT_EQ(inflation_with(own, others).degrees, 20);
  EXPECT_EQ(inflation_with(own, {}).f, 1.5);
  const Inflation enough{.f = 1.5, .degrees = 9, .rigs = 4};
  EXPECT_EQ(inflation_with(enough, others).f, 1.5);
}

TEST(Judge, UsesStudentsTAndTheShareOfItsLook) {
  const Estimate estimate{
      .log_ratio = std::log(1.2), .standard_error = 0.01, .degrees = 12, .blocks = 100, .rigs = 8};
  const Rule rule{.same_within = 0.05, .family = 10};
  for (std::size_t look = 0; look < kLookErrors.size(); ++look) {
    const Finding finding = judge(estimate, look, rule);
    const double reach = 0.01 * t_exceeded_by(0.05 / 10 * kLookErrors[look], 12);
    EXPECT_NEAR(finding.ratio, 1.2, 1e-12);
    EXPECT_NEAR(std::log(finding.low), std::log(1.2) - reach, 1e-9);
    EXPECT_NEAR(std::log(finding.high), std::log(1.2) + reach, 1e-9);
    EXPECT_NEAR(finding.half_width(), std::exp(reach) - 1, 1e-9);
  }
  EXPECT_DOUBLE_EQ(std::accumulate(kLookErrors.begin(), kLookErrors.end(), 0.0), 1);
}

Verdict verdict_for(double low, double high) {
  return verdict_of({.ratio = std::sqrt(low * high), .low = low, .high = high}, 0.05);
}

TEST(Judge, AsksForTheSameFirst) {
  EXPECT_EQ(verdict_for(0.97, 1.03), Verdict::same);
  EXPECT_EQ(verdict_for(1.01, 1.04), Verdict::same) << "even if 1 is excluded";
  EXPECT_EQ(verdict_for(0.96, 0.99), Verdict::same);
  EXPECT_EQ(verdict_for(1 / 1.05, 1.05), Verdict::same) << "the margin itself is in";
  EXPECT_EQ(verdict_for(0.90, 0.99), Verdict::cheaper);
  EXPECT_EQ(verdict_for(1.01, 1.06), Verdict::more_expensive);
  EXPECT_EQ(verdict_for(0.96, 1.06), Verdict::unclear);
  EXPECT_EQ(verdict_for(0.90, 1.01), Verdict::unclear);
  EXPECT_EQ(verdict_for(1, 1.2), Verdict::unclear) << "1 is not excluded";
}

TEST(Judge, NeedsRigsAndBlocks) {
  EXPECT_TRUE(is_enough({.blocks = 30, .rigs = 4}, 0));
  EXPECT_FALSE(is_enough({.blocks = 29, .rigs = 4}, 0));
  EXPECT_FALSE(is_enough({.blocks = 90, .rigs = 3}, 1));
  EXPECT_TRUE(is_enough({.blocks = 30, .rigs = 2}, 2)) << "where four do not fit";
  EXPECT_FALSE(is_enough({.blocks = 90, .rigs = 1}, 2));
}

TEST(Judge, KnowsNothingFromASingleBlock) {
  const std::vector<RigSummary> rigs = {summary_of({0.5})};
  const Estimate estimate = estimate_of(rigs, {});
  const Finding finding = judge(estimate, 2, {});
  EXPECT_EQ(finding.verdict, Verdict::unclear);
  EXPECT_EQ(finding.low, 0);
}

TEST(Estimate, WeighsRigsByTheirBlocks) {
  const std::vector<RigSummary> rigs = {
      {.blocks = 10, .trimmed_mean = 1, .winsorised_variance = 0.64},
      {.blocks = 30, .trimmed_mean = 2, .winsorised_variance = 0.64}};
  const Estimate estimate = estimate_of(rigs, {.f = 4, .degrees = 5, .rigs = 2});
  EXPECT_DOUBLE_EQ(estimate.log_ratio, 1.75);
  EXPECT_EQ(estimate.blocks, 40U);
  EXPECT_NEAR(estimate.standard_error, std::sqrt(4 * 1.0 / 40), 1e-12) << "0.64 / 0.8 squared is 1";
}

Finding cell(double ratio, double reach) {
  Finding finding{.ratio = ratio, .low = ratio / reach, .high = ratio * reach};
  finding.verdict = verdict_of(finding, 0.05);
  return finding;
}

Finding pooled(const std::vector<double>& ratios, double reach) {
  std::vector<Estimate> estimates;
  std::vector<Finding> cells;
  for (const double ratio : ratios) {
    estimates.push_back({.log_ratio = std::log(ratio),
                         .standard_error = std::log(reach) / 4,
                         .degrees = 100,
                         .blocks = 100,
                         .rigs = 8});
    cells.push_back(cell(ratio, reach));
  }
  return pool(estimates, cells, {.family = 10}).value();
}

TEST(Pool, WeighsLoadsAlike) {
  const Finding finding = pooled({1.2, 1.25, 1.22}, 1.03);
  EXPECT_NEAR(finding.ratio, std::cbrt(1.2 * 1.25 * 1.22), 1e-12);
  EXPECT_EQ(finding.verdict, Verdict::more_expensive);
}

TEST(Pool, SaysThatItDepends) {
  EXPECT_EQ(pooled({1.0, 1.12}, 1.2).verdict, Verdict::depends) << "more than 10 % apart";
  EXPECT_EQ(pooled({1.0, 1.09}, 1.01).verdict, Verdict::depends) << "the first excludes the mean";
  EXPECT_EQ(pooled({1.07, 1.12}, 1.01).verdict, Verdict::more_expensive) << "both are";
  EXPECT_EQ(pooled({0.98, 1.02}, 1.01).verdict, Verdict::same) << "both are";
  EXPECT_FALSE(pool(std::vector<Estimate>(1), std::vector<Finding>(1), {}));
}

/// With identical backends, the intervals of all comparisons of a campaign must hold together.
TEST(Calibration, FindsNoDifferenceWhereThereIsNone) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0, 0.1);
  constexpr int kCampaigns = 300, kComparisons = 5, kRigs = 6, kInstances = 2;
  int wrong = 0;
  for (int campaign = 0; campaign < kCampaigns; ++campaign) {
    std::vector<std::vector<RigSummary>> comparisons(kComparisons);
    for (int rig = 0; rig < kRigs; ++rig) {
      std::vector<std::vector<double>> values(kComparisons);
      for (int block = 0; block < 20; ++block) {
        double baseline = 0;
        for (int i = 0; i < kInstances; ++i) baseline += noise(random) / kInstances;
        for (auto& one : values) one.push_back(noise(random) - baseline);
      }
      for (int i = 0; i < kComparisons; ++i) {
        comparisons[static_cast<std::size_t>(i)].push_back(
            summary_of(values[static_cast<std::size_t>(i)]));
      }
    }
    const Inflation inflation = inflation_of(comparisons, kInstances);
    const bool any = std::ranges::any_of(comparisons, [&](const auto& rigs) {
      const Finding finding = judge(estimate_of(rigs, inflation), 2, {.family = kComparisons});
      return finding.low > 1 || finding.high < 1;
    });
    wrong += any ? 1 : 0;
  }
  EXPECT_LE(wrong, 22) << "of 300: 5 % are 15, and one in forty times 22";
}

}  // namespace
}  // namespace muxlab
