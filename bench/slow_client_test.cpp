#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "bench/gates.hpp"
#include "bench/summary.hpp"
#include "bench/trial.hpp"

namespace muxlab {
namespace {

/// The real program, with a client that needs ten times the server's time for each echo. To be run
/// with nothing beside it, or the processors are busy with that.
TEST(SlowClient, IsCaughtAndItsRateIsNotShown) {
  const std::vector<int> allowed = allowed_processors();
  if (allowed.size() < 2) GTEST_SKIP() << "server and client have one processor together";
  std::string name = testing::TempDir() + "slow-client-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  TrialSetup setup;
  setup.program = folder / "program";
  setup.warmup = std::chrono::milliseconds(50);
  setup.window = std::chrono::milliseconds(300);
  std::ofstream(setup.program) << fmt::format(
      "#!/bin/sh\n[ $1 = load ] && export LD_PRELOAD={} ASAN_OPTIONS=verify_asan_link_order=0\n"
      "exec {} \"$@\"\n",
      MUXLAB_SLOW_CLIENT_SHIM, MUXLAB_BINARY);
  std::filesystem::permissions(setup.program, std::filesystem::perms::owner_all);
  TrialRow row;
  row.cell = {"epoll-lt", "single", 1, 50, 0};
  row.cell.engine = "epoll";
  const Processors processors = share_processors(allowed, 1);
  const Gates gates = gates_for(row.cell, processors);
  std::string disturbed = "not measured";
  for (int attempt = 0; attempt < 10 && !disturbed.empty(); ++attempt) {
    const auto outcome = run_trial(setup, row.cell, processors);
    ASSERT_TRUE(outcome);
    row.outcome = *outcome;
    ASSERT_EQ(row.outcome.status, TrialStatus::ok) << row.outcome.reason;
    disturbed = why_disturbed(row.outcome.metrics, row.outcome.metrics[Metric::canary_ns], gates);
  }
  std::filesystem::remove_all(folder);
  if (!disturbed.empty()) GTEST_SKIP() << "no trial was undisturbed: " << disturbed;
  const auto rows = summarise({&row, 1}, {});
  EXPECT_EQ(rows.front().limiter, Limiter::client)
      << "server busy " << row.outcome.metrics[Metric::server_cpu_util] << ", client busy "
      << row.outcome.metrics[Metric::client_cpu_util];
  EXPECT_FALSE(rows.front().spread(Metric::echoes_per_s));
  EXPECT_TRUE(rows.front().spread(Metric::server_cpu_ns_per_echo)) << "what an echo costs stays";
}

}  // namespace
}  // namespace muxlab
