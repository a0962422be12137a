#include "bench/gates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace muxlab {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// A trial that nothing disturbed.
Metrics quiet() {
  Metrics metrics;
  metrics[Metric::server_runqueue_wait_share] = 0.01;
  metrics[Metric::client_runqueue_wait_share] = 0.01;
  metrics[Metric::steal_share] = 0;
  metrics[Metric::foreign_cpu_share] = 0.02;
  metrics[Metric::foreign_cpu_error] = 0.01;
  metrics[Metric::canary_ns] = 700;
  metrics[Metric::listen_drops] = 0;
  metrics[Metric::throttled_periods] = 0;
  return metrics;
}

std::string why_with(Metric metric, double value) {
  Metrics metrics = quiet();
  metrics[metric] = value;
  return why_disturbed(metrics, 680, Gates());
}

TEST(Gates, LetAQuietTrialThrough) {
  EXPECT_THAT(why_disturbed(quiet(), 680, Gates()), IsEmpty());
  EXPECT_THAT(why_disturbed(Metrics(), 680, Gates()), IsEmpty()) << "nothing was measured";
}

TEST(Gates, EachSaysWhatItMet) {
  EXPECT_THAT(why_with(Metric::server_runqueue_wait_share, 0.06),
              HasSubstr("server waited 6 % of the time"));
  EXPECT_THAT(why_with(Metric::client_runqueue_wait_share, 0.5), HasSubstr("client waited"));
  EXPECT_THAT(why_with(Metric::steal_share, 0.02), HasSubstr("host took 2 %"));
  EXPECT_THAT(why_with(Metric::foreign_cpu_share, 0.07), HasSubstr("other programs took 7 %"));
  EXPECT_THAT(why_with(Metric::canary_ns, 884), HasSubstr("1.30 times"));
  EXPECT_THAT(why_with(Metric::listen_drops, 3), HasSubstr("overflowed 3 times"));
  EXPECT_THAT(why_with(Metric::throttled_periods, 1), HasSubstr("stopped it in 1 period"));
}

TEST(Gates, TellASlowMachineFromADisturbedTrial) {
  EXPECT_TRUE(is_only_slow(why_with(Metric::canary_ns, 884)));
  EXPECT_FALSE(is_only_slow(why_with(Metric::steal_share, 0.02)));
  EXPECT_FALSE(is_only_slow(why_with(Metric::canary_ns, 680)));
  Metrics both = quiet();
  both[Metric::canary_ns] = 884;
  both[Metric::steal_share] = 0.02;
  EXPECT_FALSE(is_only_slow(why_disturbed(both, 680, Gates())));
  both[Metric::steal_share] = 0;
  both[Metric::listen_drops] = 1;
  EXPECT_FALSE(is_only_slow(why_disturbed(both, 680, Gates())));
}

TEST(Gates, AllowForTheErrorOfTheirReadings) {
  EXPECT_THAT(why_with(Metric::foreign_cpu_error, 0.04), IsEmpty());
  Metrics metrics = quiet();
  metrics[Metric::foreign_cpu_share] = 0.08;
  metrics[Metric::foreign_cpu_error] = 0.04;
  EXPECT_THAT(why_disturbed(metrics, 680, Gates()), IsEmpty());
}

TEST(Gates, ThreadsThatShareAProcessorMayWaitForEachOther) {
  const Processors one_each{{0}, {1}};
  Metrics waiting = quiet();
  waiting[Metric::server_runqueue_wait_share] = 0.5;
  const auto why = [&](const Cell& cell) {
    return why_disturbed(waiting, 680, gates_for(cell, one_each));
  };
  EXPECT_THAT(why({"poll", "single", 1, 10, 0}), HasSubstr("server waited"));
  EXPECT_THAT(why({"poll", "reuseport", 2, 10, 0}), IsEmpty());
  EXPECT_THAT(why({"poll", "acceptor", 1, 10, 0}), IsEmpty());
  EXPECT_THAT(why({"threads", "single", 1, 10, 0}), IsEmpty());
}

TEST(Gates, LetOnlyOptimisedProgramsBeMeasured) {
  EXPECT_THAT(why_not_to_measure("RelWithDebInfo", ""), IsEmpty());
  EXPECT_THAT(why_not_to_measure("Release", "-march=native"), IsEmpty());
  EXPECT_THAT(why_not_to_measure("", "-O2 -g"), IsEmpty());
  EXPECT_THAT(why_not_to_measure("Debug", ""), HasSubstr("not optimised"));
  EXPECT_THAT(why_not_to_measure("", ""), HasSubstr("not optimised"));
  EXPECT_THAT(why_not_to_measure("Release", "-O1 -fsanitize=thread"), HasSubstr("sanitizer"));
  EXPECT_THAT(why_not_to_measure("Debug", "--coverage"), HasSubstr("counts its own lines"));
}

TEST(Limiter, IsWhoeverWasBusy) {
  const auto limiter = [](double server, double client, std::uint64_t rate_per_s) {
    Cell cell;
    cell.rate_per_s = rate_per_s;
    Metrics metrics;
    metrics[Metric::server_cpu_util] = server;
    metrics[Metric::client_cpu_util] = client;
    return limiter_of(cell, metrics);
  };
  EXPECT_EQ(limiter(0.99, 0.5, 0), Limiter::server);
  EXPECT_EQ(limiter(0.6, 0.95, 0), Limiter::client);
  EXPECT_EQ(limiter(0.97, 0.96, 0), Limiter::both);
  EXPECT_EQ(limiter(0.92, 0.96, 0), Limiter::both);
  EXPECT_EQ(limiter(0.96, 0.88, 0), Limiter::both);
  EXPECT_EQ(limiter(0.6, 0.5, 0), Limiter::latency);
  EXPECT_EQ(limiter(0.6, 0.5, 20'000), Limiter::offered_rate);
  EXPECT_EQ(limiter(std::nan(""), 0.5, 0), Limiter::unknown);
  EXPECT_EQ(limiter_name(Limiter::both), "co-saturated");
  EXPECT_EQ(limiter_name(Limiter::unknown), "");
}

}  // namespace
}  // namespace muxlab
