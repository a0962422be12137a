#include "bench/campaign_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace muxlab {
namespace {

TEST(CampaignOrder, EachRoundRunsEachCellOnce) {
  const auto order = draw_order(5, 20, 1);
  ASSERT_EQ(order.size(), 20U);
  const std::vector<std::size_t> each = {0, 1, 2, 3, 4};
  for (const auto& round : order) {
    EXPECT_TRUE(std::is_permutation(round.begin(), round.end(), each.begin(), each.end()));
  }
}

TEST(CampaignOrder, FollowsFromTheSeedAlone) {
  EXPECT_EQ(draw_order(30, 3, 42), draw_order(30, 3, 42));
  EXPECT_NE(draw_order(30, 3, 42), draw_order(30, 3, 43));
}

TEST(CampaignOrder, IsTheSameEverywhere) {
  const std::vector<std::vector<std::size_t>> expected = {{3, 1, 5, 2, 4, 0}, {3, 5, 4, 0, 1, 2}};
  EXPECT_EQ(draw_order(6, 2, 42), expected);
}

TEST(CampaignOrder, RoundsDiffer) {
  const auto order = draw_order(30, 2, 7);
  EXPECT_NE(order[0], order[1]);
}

}  // namespace
}  // namespace muxlab
