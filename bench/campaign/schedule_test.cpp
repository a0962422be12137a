#include "bench/campaign/schedule.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace muxlab {
namespace {

/// Rigs as a load makes them whose every build takes `build_s`, and the ends of their slices.
std::vector<double> ends_of(double load_s, double build_s, std::vector<std::size_t>* looks = nullptr) {
  const Schedule schedule(load_s);
  std::vector<RigTime> done;
  std::vector<double> ends;
  double now_s = 0;
  do {
    const double end_s = schedule.end_of_next(done, build_s);
    EXPECT_GE(end_s, now_s + build_s);
    ends.push_back(end_s);
    done.push_back({build_s, end_s - now_s});
    now_s = end_s;
    if (looks != nullptr && schedule.is_look(done.size(), build_s)) {
      looks->push_back(schedule.look_after(done.size() - 1, build_s));
    }
  } while (done.size() < schedule.rigs(build_s));
  return ends;
}

TEST(Schedule, LooksAfterAQuarterHalfAndAllOfTheTime) {
  std::vector<std::size_t> looks;
  EXPECT_EQ(ends_of(64, 0.5, &looks), (std::vector<double>{4, 8, 12, 16, 24, 32, 48, 64}));
  EXPECT_EQ(looks, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Schedule, LooksLessOftenWhereBuildingTakesLong) {
  std::vector<std::size_t> looks;
  EXPECT_EQ(ends_of(60, 4, &looks), (std::vector<double>{7.5, 15, 22.5, 30, 45, 60}));
  EXPECT_EQ(looks, (std::vector<std::size_t>{1, 2}));
  looks.clear();
  EXPECT_EQ(ends_of(60, 8, &looks), (std::vector<double>{15, 30, 45, 60}));
  EXPECT_EQ(looks, (std::vector<std::size_t>{2}));
  looks.clear();
  EXPECT_EQ(ends_of(60, 12, &looks), (std::vector<double>{30, 60}));
  EXPECT_EQ(looks, (std::vector<std::size_t>{2}));
}

TEST(Schedule, MakesUpForARigThatWasLate) {
  const Schedule schedule(64);
  const std::vector<RigTime> late = {{0.5, 4}, {0.5, 7}};
  EXPECT_DOUBLE_EQ(schedule.end_of_next(late, 0.5), 13.5) << "half of what is left of the quarter";
}

TEST(Schedule, EachRigMeasuresForAsLongAsItWasBuilt) {
  const Schedule schedule(64);
  const std::vector<RigTime> late = {{0.5, 15.9}};
  EXPECT_DOUBLE_EQ(schedule.end_of_next(late, 2), 17.9);
}

}  // namespace
}  // namespace muxlab
