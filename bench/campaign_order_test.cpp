#include "bench/campaign_order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxlab {
namespace {

using testing::UnorderedElementsAre;

TEST(CampaignOrder, EachRoundRunsEachCellOnce) {
  const auto order = draw_order(5, 20, 1);
  ASSERT_EQ(order.size(), 20U);
  for (const auto& round : order) EXPECT_THAT(round, UnorderedElementsAre(0, 1, 2, 3, 4));
}

TEST(CampaignOrder, FollowsFromTheSeedAlone) {
  EXPECT_EQ(draw_order(30, 3, 42), draw_order(30, 3, 42));
  EXPECT_NE(draw_order(30, 3, 42), draw_order(30, 3, 43));
}

TEST(CampaignOrder, IsTheSameEverywhere) {
  using testing::ElementsAre;
  EXPECT_THAT(draw_order(6, 2, 42),
              ElementsAre(ElementsAre(3, 1, 5, 2, 4, 0), ElementsAre(3, 5, 4, 0, 1, 2)));
}

TEST(CampaignOrder, RoundsDiffer) {
  const auto order = draw_order(30, 2, 7);
  EXPECT_NE(order[0], order[1]);
}

}  // namespace
}  // namespace muxlab
