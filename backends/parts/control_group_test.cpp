#include "backends/parts/control_group.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace muxlab {
namespace {

constexpr const char* kV2 = "30 22 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";

/// A folder that stands for a machine; removed at the end of the test.
class ControlGroupTest : public testing::Test {
 protected:
  ControlGroupTest() {
    std::string name = testing::TempDir() + "group-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void file(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  void prepare(const std::string& cgroup, const std::string& mountinfo) {
    file("proc/self/cgroup", cgroup);
    file("proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + mountinfo);
  }

  [[nodiscard]] std::optional<std::uint64_t> tasks() const {
    const auto limit = control_group_limits(root_).tasks;
    return limit ? std::optional(limit->value) : std::nullopt;
  }

  std::filesystem::path root_;
};

TEST_F(ControlGroupTest, TheLeastOfTheGroupAndItsAncestorsCounts) {
  prepare("0::/a/b/c\n", kV2);
  file("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  file("sys/fs/cgroup/a/b/c/cpu.max", "150000 100000\n");
  file("sys/fs/cgroup/a/memory.max", "max\n");
  file("sys/fs/cgroup/a/b/memory.max", "67108864\n");
  file("sys/fs/cgroup/a/b/memory.high", "33554432\n");
  file("sys/fs/cgroup/a/b/memory.current", "9000000\n");
  file("sys/fs/cgroup/a/b/memory.stat", "anon 1\ninactive_file 3000000\nactive_file 5000000\n");
  file("sys/fs/cgroup/a/b/c/memory.max", "1073741824\n");
  file("sys/fs/cgroup/a/pids.max", "100\n");
  file("sys/fs/cgroup/a/b/c/pids.max", "200\n");
  file("sys/fs/cgroup/other/pids.max", "1\n");
  const ControlGroupLimits limits = control_group_limits(root_);
  EXPECT_EQ(limits.processors, (GroupLimit<double>{0.5, "/sys/fs/cgroup/a/cpu.max"}));
  EXPECT_EQ(limits.cpu_quota, "50000 100000");
  EXPECT_EQ(limits.memory_bytes,
            (GroupLimit<std::uint64_t>{33554432, "/sys/fs/cgroup/a/b/memory.high"}));
  EXPECT_EQ(limits.memory_left_bytes->value, 33554432U - 1000000U) << "page cache can be dropped";
  EXPECT_EQ(limits.tasks, (GroupLimit<std::uint64_t>{100, "/sys/fs/cgroup/a/pids.max"}));
}

TEST_F(ControlGroupTest, VersionOneHasAHierarchyForEachController) {
  prepare("4:memory:/m/n\n3:cpu,cpuacct:/c\n2:pids:/p\n1:name=systemd:/s\n0::/\n",
          "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
          "34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
          "38 30 0:35 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
          "40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  file("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "25000\n");
  file("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "50000\n");
  file("sys/fs/cgroup/cpu,cpuacct/c/cpu.stat", "nr_throttled 3\nthrottled_time 2000000\n");
  file("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "67108864\n");
  file("sys/fs/cgroup/memory/m/n/memory.limit_in_bytes", "9223372036854771712\n");
  file("sys/fs/cgroup/pids/p/pids.max", "50\n");
  const ControlGroupLimits limits = control_group_limits(root_);
  EXPECT_EQ(limits.processors->value, 0.5);
  EXPECT_EQ(limits.memory_bytes->value, 67108864U);
  EXPECT_EQ(limits.memory_bytes->file, "/sys/fs/cgroup/memory/m/memory.limit_in_bytes");
  EXPECT_EQ(limits.tasks->value, 50U);
  const auto throttling = control_group_throttling(root_);
  ASSERT_TRUE(throttling);
  EXPECT_EQ(throttling->periods, 3U);
  EXPECT_EQ(throttling->us, 2000U);
}

TEST_F(ControlGroupTest, VersionOneTellsOfAncestorsThatAreNotMounted) {
  prepare("4:memory:/docker/abc\n",
          "34 30 0:31 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  file("sys/fs/cgroup/memory/memory.stat", "cache 0\nhierarchical_memory_limit 1048576\n");
  EXPECT_EQ(control_group_limits(root_).memory_bytes->value, 1048576U);
}

TEST_F(ControlGroupTest, OnlyAPartOfTheHierarchyMayBeMounted) {
  prepare("0::/docker/abc/work\n",
          "30 22 0:27 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  file("sys/fs/cgroup/pids.max", "20\n");
  file("sys/fs/cgroup/work/pids.max", "30\n");
  EXPECT_EQ(tasks(), 20U);
  prepare("0::/docker/xyz\n", "30 22 0:27 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(tasks(), std::nullopt) << "another group's";
}

TEST_F(ControlGroupTest, ANamespaceNamesGroupsFromItsRoot) {
  file("sys/pids.max", "1\n");
  file("sys/fs/cgroup/pids.max", "20\n");
  file("sys/fs/cgroup/next/pids.max", "10\n");
  prepare("0::/../next\n", kV2);
  EXPECT_EQ(tasks(), std::nullopt) << "the mounted part does not contain the group";
  prepare("0::/../next\n", "30 22 0:27 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(tasks(), 10U);
  prepare("0::/\n", "30 22 0:27 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(tasks(), 20U) << "the mounted one is an ancestor; the names between are unknown";
  prepare("0::/../../..\n", kV2);
  EXPECT_EQ(tasks(), std::nullopt);
}

TEST_F(ControlGroupTest, WithoutMountsTheUsualPlacesCount) {
  file("sys/fs/cgroup/pids.max", "20\n");
  EXPECT_EQ(tasks(), 20U);
  file("proc/self/cgroup", "0::/a\n");
  file("sys/fs/cgroup/a/pids.max", "10\n");
  EXPECT_EQ(tasks(), 10U);
  file("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:pids:/b\n");
  file("sys/fs/cgroup/pids/b/pids.max", "5\n");
  file("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "10000\n");
  EXPECT_EQ(tasks(), 5U);
  EXPECT_EQ(control_group_limits(root_).processors->value, 0.1);
}

TEST_F(ControlGroupTest, AMountPointMayHaveABlank) {
  prepare("0::/a\n", "30 22 0:27 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  file("my groups/a/pids.max", "7\n");
  EXPECT_EQ(tasks(), 7U);
}

TEST_F(ControlGroupTest, WhatIsBrokenIsNoLimit) {
  prepare("0\n:\nnonsense::\n0::/a\n",
          "30 22 0:27 /\n - cgroup2\n30 22 0:27 / /x rw - cgroup2 x\n");
  file("x/a/pids.max", "many\n");
  file("x/a/cpu.max", "0 0\n");
  file("x/a/memory.max", "18446744073709551615\n");
  file("x/a/cpu.stat", "nr_throttled\n");
  const ControlGroupLimits limits = control_group_limits(root_);
  EXPECT_FALSE(limits.tasks);
  EXPECT_FALSE(limits.processors);
  EXPECT_FALSE(limits.memory_bytes);
  EXPECT_FALSE(control_group_throttling(root_));
  EXPECT_FALSE(control_group_limits(root_ / "nowhere").tasks);
}

}  // namespace
}  // namespace muxlab
