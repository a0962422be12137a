#include "bench/load/pattern.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace muxlab {
namespace {

std::vector<std::byte> bytes_of(const Pattern& pattern, std::uint64_t position, std::size_t size) {
  const auto bytes = pattern.at(position, size);
  return {bytes.begin(), bytes.end()};
}

TEST(Pattern, RepeatsAfterAPrimeNumberOfBytes) {
  const Pattern pattern(100'000);
  EXPECT_TRUE(pattern.matches(5, bytes_of(pattern, 5 + Pattern::kPeriod, 100'000)));
  EXPECT_TRUE(pattern.matches(5 + 7 * Pattern::kPeriod, bytes_of(pattern, 5, 100'000)));
  for (std::size_t divisor = 2; divisor < 182; ++divisor) EXPECT_NE(Pattern::kPeriod % divisor, 0U);
}

TEST(Pattern, DoesNotMatchItselfElsewhere) {
  const Pattern pattern(64);
  const auto message = bytes_of(pattern, 0, 8);
  for (std::uint64_t position = 1; position < Pattern::kPeriod; ++position) {
    ASSERT_FALSE(pattern.matches(position, message)) << position;
  }
}

TEST(Pattern, StartsEveryConnectionElsewhere) {
  std::set<std::uint64_t> starts;
  for (std::uint64_t i = 0; i < Pattern::kPeriod; ++i) starts.insert(Pattern::start_of(i));
  EXPECT_EQ(starts.size(), Pattern::kPeriod);
}

TEST(Pattern, UsesAllBytesAboutAsOften) {
  const Pattern pattern(1);
  std::array<int, 256> counts{};
  for (const std::byte byte : bytes_of(pattern, 0, 1)) ++counts[std::to_integer<std::size_t>(byte)];
  for (std::uint64_t i = 1; i < Pattern::kPeriod; ++i) {
    ++counts[std::to_integer<std::size_t>(pattern.at(i, 1).front())];
  }
  const auto [rarest, commonest] = std::ranges::minmax(counts);
  EXPECT_GT(rarest, 80);  // 128 on average
  EXPECT_LT(commonest, 180);
}

}  // namespace
}  // namespace muxlab
