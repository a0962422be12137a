#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "bench/rig/rig.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// A /proc of two processors, in the usual ticks of 10 ms.
class ConditionsTest : public testing::Test {
 protected:
  ConditionsTest() {
    std::string name = testing::TempDir() + "conditions-XXXXXX";
    root_ = ::mkdtemp(name.data());
    write("proc/stat",
          "cpu  300 0 300 1000 0 0 30 7 0 0\n"
          "cpu0 100 10 100 500 20 1 9 2 0 0\n"
          "cpu1 200 0 200 500 0 0 20 5 0 0\n"
          "intr 1 2 3\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const Path& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  [[nodiscard]] Conditions read(std::initializer_list<int> processors) const {
    return read_conditions({processors.begin(), processors.size()}, root_);
  }

  Path root_;
};

TEST_F(ConditionsTest, ReadsTheProcessorsThatCount) {
  ASSERT_EQ(::sysconf(_SC_CLK_TCK), 100);
  EXPECT_DOUBLE_EQ(read({0}).busy_s.value(), 2.20);
  EXPECT_DOUBLE_EQ(read({0}).stolen_s.value(), 0.02);
  EXPECT_DOUBLE_EQ(read({0, 1}).stolen_s.value(), 0.07);
  EXPECT_DOUBLE_EQ(read({}).busy_s.value(), 2.20 + 4.20);
}

TEST_F(ConditionsTest, CountsHowOftenTheQuotaOfTheGroupStoppedIt) {
  write("proc/self/cgroup", "0::/work/inner\n");
  write("proc/self/mountinfo", "31 22 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("sys/fs/cgroup/work/cpu.stat", "nr_throttled 2\nthrottled_usec 500000\n");
  const Conditions before = read({});
  write("sys/fs/cgroup/work/cpu.stat", "nr_throttled 12\nthrottled_usec 2000000\n");
  write("sys/fs/cgroup/work/inner/cpu.stat", "nr_throttled 0\nthrottled_usec 0\n");
  const Conditions after = read({});
  EXPECT_DOUBLE_EQ(before.throttled_s.value(), 0.5);
  EXPECT_DOUBLE_EQ(after.throttled_s.value(), 2);
  EXPECT_EQ(throttling_words(before, after),
            "the control group's quota of processor time stopped the measurement in 10 periods, "
            "for 1.5 s in all: raise cpu.max");
  EXPECT_EQ(throttling_words(after, after), "");
}

TEST_F(ConditionsTest, WhatTheKernelDoesNotTellIsNotMeasured) {
  const Conditions nothing = read_conditions({}, root_ / "nowhere");
  EXPECT_FALSE(nothing.busy_s);
  EXPECT_FALSE(nothing.stolen_s);
  EXPECT_FALSE(nothing.throttled_s);
}

TEST(ConditionsHere, CanBeRead) {
  const Conditions here = read_conditions({}, "/");
  EXPECT_GT(here.busy_s.value_or(0), 0);
  EXPECT_TRUE(here.stolen_s);
}

}  // namespace
}  // namespace muxlab
