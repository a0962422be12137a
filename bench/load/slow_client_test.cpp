#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "bench/analysis/answer.hpp"
#include "bench/campaign/load_run.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {
namespace {

/// Runs the real program with a client that needs ten times the server's time for each echo.
TEST(SlowClient, IsWhatBoundsTheRate) {
  const std::vector<int> allowed = allowed_processors();
  if (allowed.size() < 2) GTEST_SKIP() << "server and client have one processor together";
  std::string name = testing::TempDir() + "slow-client-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const std::filesystem::path program = folder / "program";
  std::ofstream(program) << fmt::format(
      "#!/bin/sh\n[ $1 = load ] && export LD_PRELOAD={} ASAN_OPTIONS=verify_asan_link_order=0\n"
      "exec {} \"$@\"\n",
      MUXLAB_SLOW_CLIENT_SHIM, MUXLAB_BINARY);
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  SlicedPlan plan;
  plan.contenders = {{{"epoll-lt", "epoll-lt"}, Role::baseline},
                     {{"poll", "poll"}, Role::compared}};
  PlannedLoad& load = plan.loads.emplace_back();
  load.cell = {"", "single", 1, 50, 0};
  load.cell.engine = "epoll";
  load.processors = share_processors(allowed, 1);
  load.seconds = 1;
  load.unavailable = {"", ""};
  plan.allowed_processors = allowed;
  LocalSides sides(program, -1);
  std::vector<RigRecord> records;
  std::vector<Slice> slices;
  LoadRun run(plan, 0, 1, records);
  run.run_rig(
      sides, [](const LoadProgress&) {}, slices);
  std::filesystem::remove_all(folder);
  const Answer answer = answer_of(plan, records);
  const AtLoad& baseline = answer.loads[0].contenders[0];
  EXPECT_EQ(baseline.broken, 0U) << baseline.reason;
  // If other programs use the client's processor, the client waits for it.
  EXPECT_TRUE(baseline.bound == Bound::client || baseline.bound == Bound::waiting)
      << name_of(baseline.bound);
  EXPECT_GT(baseline.ns[Metric::cpu], 0) << "the cost per echo is still known";
  EXPECT_FALSE(answer.loads[0].contenders[1].compared[Metric::echo_time])
      << "no verdict if the client limits the rate";
}

}  // namespace
}  // namespace muxlab
