#include "bench/conditions.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <fstream>
#include <string>

#include "bench/canary.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// A /proc and a /sys of two processors, in ticks of a hundredth of a second as everywhere.
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
    write("proc/net/netstat",
          "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPHPHits\n"
          "TcpExt: 1 40 42 9\n"
          "IpExt: InNoRoutes\n"
          "IpExt: 4\n");
    write("proc/meminfo", "MemTotal: 9 kB\nSlab:               200 kB\nSReclaimable: 100 kB\n");
    write("proc/self/cgroup", "1:name=systemd:/x\n0::/a/b\n");
    write("sys/fs/cgroup/a/b/cpu.stat", "usage_usec 7\nnr_periods 5\nnr_throttled 3\n");
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
  EXPECT_EQ(read({}).listen_drops, 42U);
  EXPECT_EQ(read({}).throttled_periods, 3U);
  EXPECT_EQ(read({}).slab_bytes, 200.0 * 1024);
}

TEST_F(ConditionsTest, WhatTheKernelDoesNotTellIsNotMeasured) {
  const Conditions nothing = read_conditions({}, root_ / "nowhere");
  EXPECT_FALSE(nothing.busy_s);
  EXPECT_FALSE(nothing.listen_drops);
  EXPECT_FALSE(nothing.throttled_periods);
  Metrics metrics;
  add_shares_of_others(metrics, nothing, read({}), 1, 0.5, 2);
  add_counted(metrics, read({}), nothing);
  EXPECT_TRUE(std::isnan(metrics[Metric::steal_share]));
  EXPECT_TRUE(std::isnan(metrics[Metric::listen_drops]));
}

TEST_F(ConditionsTest, TakesOffWhatTheProgramsUsed) {
  Conditions begin, end;
  begin.busy_s = 10;
  begin.stolen_s = 1;
  end.busy_s = 13;
  end.stolen_s = 1.1;
  end.listen_drops = 9;
  begin.listen_drops = 4;
  Metrics metrics;
  add_shares_of_others(metrics, begin, end, 2, 2.6, 2);
  add_counted(metrics, begin, end);
  EXPECT_NEAR(metrics[Metric::foreign_cpu_share], 0.1, 1e-9);
  EXPECT_NEAR(metrics[Metric::steal_share], 0.025, 1e-9);
  // Three quarters busy, seen in 400 looks.
  EXPECT_NEAR(metrics[Metric::foreign_cpu_error], 2 * std::sqrt(0.75 * 0.25 / 400), 1e-9);
  EXPECT_EQ(metrics[Metric::listen_drops], 5);
  EXPECT_TRUE(std::isnan(metrics[Metric::throttled_periods]));
}

TEST(ConditionsHere, CanBeRead) {
  const Conditions here = read_conditions({}, "/");
  EXPECT_GT(here.busy_s.value_or(0), 0);
  EXPECT_TRUE(here.stolen_s);
}

TEST(Canary, IsMoreThanNothingAndLeavesTheThreadWhereItWas) {
  cpu_set_t before, after;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  const double ns = canary_ns(::sched_getcpu());
  EXPECT_GT(ns, 10);
  ASSERT_EQ(::sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
  EXPECT_TRUE(std::isnan(canary_ns(CPU_SETSIZE - 1))) << "there is no such processor";
}

}  // namespace
}  // namespace muxlab
