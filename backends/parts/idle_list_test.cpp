#include "backends/parts/idle_list.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace muxlab {
namespace {

using namespace std::chrono_literals;

/// Removes and returns every due descriptor, in order.
std::vector<int> take_due(IdleList& list) {
  std::vector<int> due;
  for (int fd = list.due(); fd >= 0; fd = list.due()) {
    due.push_back(fd);
    list.remove(fd);
  }
  return due;
}

TEST(IdleList, IsDueBetweenTheTimeoutAndOneTickMore) {
  IdleList list(800ms);
  ASSERT_EQ(list.tick(), 100ms);
  list.advance_to(10s);
  list.touch(5);
  list.advance_to(10s + 800ms);
  EXPECT_EQ(list.due(), -1) << "it may have been touched late in its tick";
  list.advance_to(10s + 900ms);
  EXPECT_EQ(take_due(list), (std::vector<int>{5}));
}

TEST(IdleList, ActivityStartsTheTimeAnew) {
  IdleList list(800ms);
  list.touch(5);
  list.advance_to(500ms);
  list.touch(5);
  list.advance_to(1300ms);
  EXPECT_EQ(list.due(), -1);
  list.advance_to(1400ms);
  EXPECT_EQ(list.due(), 5);
  list.touch(5);
  EXPECT_EQ(list.due(), -1);
}

TEST(IdleList, TheOldestComesFirstWhateverWasTouchedOrRemovedBetween) {
  IdleList list(800ms);
  for (const int fd : {3, 9, 4, 7, 6}) list.touch(fd);
  list.advance_to(100ms);
  list.touch(9);
  list.remove(4);
  list.touch(3);
  list.remove(8);  // never was there
  list.advance_to(1s);
  EXPECT_EQ(take_due(list), (std::vector<int>{7, 6, 9, 3}));
  EXPECT_EQ(list.due(), -1);
  list.touch(4);
  list.advance_to(2s);
  EXPECT_EQ(take_due(list), (std::vector<int>{4}));
}

TEST(IdleList, TicksAreAnEighthOfTheTimeoutWithinBounds) {
  EXPECT_EQ(IdleList(1ms).tick(), 10ms);
  EXPECT_EQ(IdleList(4s).tick(), 500ms);
  EXPECT_EQ(IdleList(1h).tick(), 1s);
}

}  // namespace
}  // namespace muxlab
