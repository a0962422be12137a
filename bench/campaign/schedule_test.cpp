#include <gtest/gtest.h>

#include <vector>

#include "bench/campaign/load_run.hpp"

namespace muxlab {
namespace {

struct Course {
  std::vector<double> ends_s;      ///< of the rigs' slices
  std::vector<std::size_t> looks;  ///< that were made
};

/// A load whose rigs take `first_build_s` and then `build_s` to build.
Course course_of(double load_s, double first_build_s, double build_s) {
  const Schedule schedule(load_s);
  Course course;
  std::vector<double> builds_s;
  double now_s = 0;
  do {
    builds_s.push_back(builds_s.empty() ? first_build_s : build_s);
    const double end_s = schedule.end_of_rig(builds_s, now_s);
    EXPECT_GT(end_s, now_s + builds_s.back());
    EXPECT_LE(end_s, load_s);
    course.ends_s.push_back(end_s);
    now_s = end_s;
    if (schedule.is_look(builds_s)) {
      course.looks.push_back(schedule.look_after(builds_s.size() - 1, builds_s));
    }
  } while (builds_s.size() < schedule.rigs(builds_s));
  return course;
}

TEST(Schedule, LooksAfterAQuarterHalfAndAllOfTheTime) {
  const Course course = course_of(64, 0.5, 0.5);
  EXPECT_EQ(course.ends_s, (std::vector<double>{4, 8, 12, 16, 24, 32, 48, 64}));
  EXPECT_EQ(course.looks, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Schedule, LooksLessOftenWhereBuildingTakesLong) {
  Course course = course_of(60, 3, 3);
  EXPECT_EQ(course.ends_s, (std::vector<double>{7.5, 15, 22.5, 30, 45, 60}));
  EXPECT_EQ(course.looks, (std::vector<std::size_t>{1, 2}));
  course = course_of(60, 7, 7);
  EXPECT_EQ(course.ends_s, (std::vector<double>{15, 30, 45, 60}));
  EXPECT_EQ(course.looks, (std::vector<std::size_t>{2}));
  course = course_of(60, 12, 12);
  EXPECT_EQ(course.ends_s, (std::vector<double>{30, 60}));
  EXPECT_EQ(course.looks, (std::vector<std::size_t>{2}));
}

TEST(Schedule, AFirstRigThatWasSlowDecidesNothing) {
  const Course course = course_of(60, 3.2, 1.2);
  EXPECT_EQ(course.ends_s, (std::vector<double>{7.5, 10, 12.5, 15, 22.5, 30, 45, 60}));
  EXPECT_EQ(course.looks, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Schedule, WhatIsDecidedStays) {
  const Schedule schedule(60);
  const std::vector<double> builds_s = {3, 3, 1, 1};
  EXPECT_EQ(schedule.rigs(builds_s), 6U);
  EXPECT_TRUE(schedule.is_look(builds_s));
}

TEST(Schedule, MakesUpForARigThatWasLate) {
  const Schedule schedule(64);
  EXPECT_DOUBLE_EQ(schedule.end_of_rig(std::vector<double>{0.5, 0.5, 0.5}, 11), 13.5)
      << "half of the rest of the quarter";
}

TEST(Schedule, ARigMeasuresForAsLongAsItWasBuilt) {
  const Schedule schedule(64);
  EXPECT_DOUBLE_EQ(schedule.end_of_rig(std::vector<double>{0.5, 2}, 15.9), 19.9);
}

/// A rig that left the second one no time to be built would make the load end late.
TEST(Schedule, ARigLeavesTheOthersTimeToBeBuilt) {
  EXPECT_EQ(course_of(60, 25, 25).ends_s, (std::vector<double>{30, 60}));
  EXPECT_DOUBLE_EQ(course_of(90, 44, 30).ends_s.front(), 52.8);
}

}  // namespace
}  // namespace muxlab
