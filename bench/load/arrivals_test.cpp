#include "bench/load/arrivals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace muxlab {
namespace {

std::vector<std::int64_t> dues(Arrivals arrivals, std::size_t count) {
  std::vector<std::int64_t> times;
  for (std::size_t i = 0; i < count; ++i, arrivals.advance()) times.push_back(arrivals.due_ns());
  return times;
}

Arrivals started(double per_s, Gaps gaps, std::uint64_t seed) {
  Arrivals arrivals(per_s, gaps, seed);
  arrivals.start(0, 0, 1);
  return arrivals;
}

TEST(Arrivals, AreExponentialWhenTheyArePoisson) {
  constexpr std::size_t kCount = 100'000;
  const auto times = dues(started(1e6, Gaps::poisson, 1), kCount);
  std::vector<double> gaps;
  std::int64_t before = 0;
  for (const std::int64_t time : times) {
    gaps.push_back(static_cast<double>(time - before));
    before = time;
  }
  std::ranges::sort(gaps);
  // Kolmogorov and Smirnov: the distribution function is never further off than 1.95 / sqrt(n), but
  // once in a thousand seeds. Whole nanoseconds add half a gap of a thousandth.
  double furthest = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double expected = 1 - std::exp(-gaps[i] / 1000);
    const double seen = (static_cast<double>(i) + 0.5) / kCount;
    furthest = std::max(furthest, std::abs(expected - seen));
  }
  EXPECT_LT(furthest, 1.95 / std::sqrt(kCount) + 0.0005);
  EXPECT_NEAR(static_cast<double>(times.back()) / kCount, 1000, 4 * 1000 / std::sqrt(kCount));
}

TEST(Arrivals, AreEvenlySpacedWhenTheyAreFixed) {
  const auto times = dues(started(3, Gaps::fixed, 1), 7);
  EXPECT_EQ(times[0], 333'333'333);
  EXPECT_EQ(times[2], 1'000'000'000) << "a third is not cut off each time";
  EXPECT_EQ(times[5], 2'000'000'000);
}

TEST(Arrivals, OfSeveralSharesAreEvenlySpacedTogether) {
  constexpr std::uint64_t kShares = 4;
  std::vector<std::int64_t> all;
  for (std::uint64_t share = 0; share < kShares; ++share) {
    Arrivals arrivals(1000, Gaps::fixed, share);
    arrivals.start(0, share, kShares);
    for (const std::int64_t due : dues(arrivals, 5)) all.push_back(due);
  }
  std::ranges::sort(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i], 250'000 * static_cast<std::int64_t>(i + 1));
  }
}

TEST(Arrivals, OfTheSameSeedAreTheSame) {
  EXPECT_EQ(dues(started(1000, Gaps::poisson, 7), 100), dues(started(1000, Gaps::poisson, 7), 100));
  EXPECT_NE(dues(started(1000, Gaps::poisson, 7), 100), dues(started(1000, Gaps::poisson, 8), 100));
}

TEST(Arrivals, ChooseEachConnectionAsOften) {
  constexpr std::size_t kConnections = 10;
  constexpr int kEach = 10'000;
  Arrivals arrivals(1, Gaps::poisson, 3);
  std::vector<int> chosen(kConnections);
  for (int i = 0; i < kEach * static_cast<int>(kConnections); ++i) {
    ++chosen[arrivals.choose(kConnections)];
  }
  for (const int count : chosen) EXPECT_NEAR(count, kEach, 5 * std::sqrt(kEach));
}

}  // namespace
}  // namespace muxlab
