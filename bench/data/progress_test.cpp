#include "bench/data/progress.hpp"

#include <gtest/gtest.h>

namespace muxlab {
namespace {

TEST(Progress, ShowsTimesAsPeopleSayThem) {
  EXPECT_EQ(show_time(std::chrono::milliseconds(1200)), "2 s");
  EXPECT_EQ(show_time(std::chrono::seconds(125)), "2 min 5 s");
}

}  // namespace
}  // namespace muxlab
