#include "backends/parts/thread_limit.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace muxlab {
namespace {

/// A folder that stands for a machine; removed at the end of the test.
class ThreadLimitTest : public testing::Test {
 protected:
  ThreadLimitTest() {
    std::string name = testing::TempDir() + "threads-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void file(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  std::filesystem::path root_;
};

TEST_F(ThreadLimitTest, IsTheLowestAndSaysWhich) {
  file("proc/sys/kernel/threads-max", "190\n");
  file("proc/sys/kernel/pid_max", "80\n");
  file("proc/sys/vm/max_map_count", "65530\n");
  file("sys/fs/cgroup/pids.max", "max\n");
  EXPECT_EQ(thread_limit(root_).threads, 80U);
  EXPECT_EQ(thread_limit(root_).reason, "kernel.pid_max is 80");
  file("sys/fs/cgroup/pids.max", "70\n");
  EXPECT_EQ(thread_limit(root_).threads, 70U);
  EXPECT_EQ(thread_limit(root_).reason, "pids.max of the control group is 70");
}

TEST_F(ThreadLimitTest, CountsTwoMappingsForEachThread) {
  file("proc/sys/vm/max_map_count", "612\n");
  EXPECT_EQ(thread_limit(root_).threads, 50U);
  EXPECT_EQ(thread_limit(root_).reason, "vm.max_map_count is 612");
  file("proc/sys/vm/max_map_count", "100\n");
  EXPECT_EQ(thread_limit(root_).threads, 0U);
}

}  // namespace
}  // namespace muxlab
