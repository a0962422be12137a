#include "bench/campaign/sliced_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kModels = {"single", "reuseport", "shared", "acceptor", "half-sync"};

std::vector<BackendInfo> known_backends_here() {
  std::vector<BackendInfo> all;
  for (const Backend* backend : backends()) {
    all.push_back({std::string(backend->name), false, true, "", "", std::nullopt, kModels});
  }
  for (const Backend* backend : controls()) {
    all.push_back({std::string(backend->name), true, true, "", "", std::nullopt, kModels});
  }
  std::ranges::find(all, "libevent-select", &BackendInfo::name)->max_connections = 1'003;
  std::ranges::find(all, "oracle", &BackendInfo::name)->is_told = true;
  return all;
}

SlicedPlan sliced_plan(const SlicedRequest& request) {
  return plan_slices(request, known_backends_here());
}

std::string refusal(const SlicedRequest& request, ExitCode code) {
  try {
    (void)sliced_plan(request);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), code) << failure.what();
    return failure.what();
  }
  return "";
}

std::vector<std::string> contenders_of(const SlicedPlan& plan) {
  std::vector<std::string> names;
  for (const PlannedContender& one : plan.contenders) names.push_back(one.contender.name);
  return names;
}

TEST(SlicedPlan, ByDefaultAsksAtFiveLoads) {
  const SlicedPlan plan = sliced_plan({});
  std::vector<std::string> loads;
  for (const PlannedLoad& load : plan.loads) loads.push_back(name_of_load(load.cell));
  EXPECT_THAT(loads,
              ElementsAre("1 busy", "10 busy", "100 busy", "100 busy, 5k silent", "1k busy"));
  EXPECT_LE(plan.seconds(), 220) << "with set-up and report, 225 s";
  EXPECT_TRUE(plan.shares_time);
  EXPECT_EQ(plan.experiment, "default");
  EXPECT_EQ(plan.contenders.size(), backends().size() + 2);
  EXPECT_EQ(plan.baseline(), "epoll-lt");
  EXPECT_EQ(plan.family(Metric::cpu), 4U * 14 + 13 + 14)
      << "libevent-select is not at one; 14 are pooled";
  EXPECT_EQ(plan.baseline_instances(), 4U);
  EXPECT_THAT(plan.loads[3].unavailable[6], HasSubstr("at most 1003"));
}

TEST(SlicedPlan, WithBackendsOrALoadAsksThere) {
  SlicedRequest request;
  request.backends = {"poll", "epoll-lt"};
  request.idle = {9'000};
  SlicedPlan plan = sliced_plan(request);
  ASSERT_EQ(plan.loads.size(), 1U);
  EXPECT_EQ(plan.loads[0].cell.connections, 100U);
  EXPECT_EQ(plan.loads[0].cell.idle, 9'000U);
  EXPECT_EQ(plan.loads[0].seconds, 60);
  EXPECT_THAT(contenders_of(plan),
              ElementsAre("epoll-lt", "poll", "epoll-lt-again", "epoll-lt-extra-call"));
  request.connections = {10, 100};
  request.threads = {1, 2};
  request.for_s = 5;
  plan = sliced_plan(request);
  EXPECT_EQ(plan.loads.size(), 4U);
  EXPECT_EQ(plan.seconds(), 20);
}

TEST(SlicedPlan, TheBaselineIsAddedAndComesFirst) {
  SlicedRequest request;
  request.backends = {"io-uring"};
  request.baseline = "poll";
  const SlicedPlan plan = sliced_plan(request);
  EXPECT_THAT(contenders_of(plan), ElementsAre("poll", "io-uring", "poll-again"));
  EXPECT_EQ(plan.contenders.back().contender.backend, "poll");
  EXPECT_EQ(plan.contenders.back().role, Role::same_again);
}

TEST(SlicedPlan, ASelfCheckThatIsAskedForIsThereOnce) {
  SlicedRequest request;
  request.backends = {"epoll-lt-again", "epoll-lt-extra-call", "poll"};
  const SlicedPlan plan = sliced_plan(request);
  EXPECT_EQ(plan.contenders.size(), 4U);
  EXPECT_EQ(plan.contenders[1].role, Role::same_again);
  EXPECT_EQ(plan.contenders[2].role, Role::extra_call);
}

TEST(SlicedPlan, FewConnectionsShareAProcessor) {
  SlicedRequest request;
  request.connections = {16, 17};
  SlicedPlan plan = sliced_plan(request);
  if (plan.allowed_processors.size() < 2) GTEST_SKIP() << "this process may use one processor";
  EXPECT_EQ(plan.loads[0].placement, Placement::shared);
  EXPECT_EQ(plan.loads[0].processors.server, plan.loads[0].processors.client);
  EXPECT_EQ(plan.loads[1].placement, Placement::apart);
  EXPECT_NE(plan.loads[1].processors.server, plan.loads[1].processors.client);
  request.placement = "apart";
  EXPECT_EQ(sliced_plan(request).loads[0].placement, Placement::apart);
  request.placement = "shared";
  EXPECT_EQ(sliced_plan(request).loads[1].placement, Placement::shared);
}

TEST(SlicedPlan, RefusesWhatMakesNoSense) {
  SlicedRequest request;
  request.baseline = "kqueue";
  EXPECT_THAT(refusal(request, ExitCode::usage), HasSubstr("kqueue"));
  request = {};
  request.rate_per_s = {1'000};
  request.churn = {10};
  EXPECT_THAT(refusal(request, ExitCode::usage), HasSubstr("leave out --rate"));
  request = {};
  request.connections = {5, 5};
  EXPECT_THAT(refusal(request, ExitCode::usage), HasSubstr("names a value twice"));
  request = {};
  request.threading = {"pool"};
  EXPECT_THAT(refusal(request, ExitCode::usage), HasSubstr("pool"));
  request.threading = {"single"};
  request.threads = {2};
  EXPECT_THAT(refusal(request, ExitCode::usage), HasSubstr("--threads 1"));
  request = {};
  request.threading = {"reuseport"};
  request.unix_sockets = true;
  EXPECT_THAT(refusal(request, ExitCode::usage), HasSubstr("use acceptor"));
  request = {};
  request.backends = {"libevent-select"};
  request.connections = {2'000};
  request.baseline = "libevent-select";
  EXPECT_THAT(refusal(request, ExitCode::unavailable), HasSubstr("baseline"));
}

TEST(SlicedPlan, AnExperimentHasItsLoadsAndBackends) {
  for (const Experiment& experiment : experiments()) {
    SlicedRequest request;
    request.experiment = &experiment;
    const SlicedPlan plan = sliced_plan(request);
    EXPECT_EQ(plan.experiment, experiment.name);
    EXPECT_TRUE(plan.shares_time);
    EXPECT_EQ(plan.loads.size(), expand(experiment.grid).size());
    EXPECT_LE(plan.seconds(), 900) << experiment.name;
    for (const PlannedLoad& load : plan.loads) EXPECT_GE(load.seconds, 25) << experiment.name;
    EXPECT_EQ(plan_json(plan_from_json(plan_json(plan))), plan_json(plan)) << experiment.name;
  }
}

TEST(SlicedPlan, WhatIsAskedForReplacesWhatTheExperimentHas) {
  SlicedRequest request;
  request.experiment = &find_experiment("latency");
  request.backends = {"poll"};
  request.rate_per_s = {1'000};
  request.for_s = 5;
  const SlicedPlan plan = sliced_plan(request);
  ASSERT_EQ(plan.loads.size(), 1U);
  EXPECT_EQ(plan.loads[0].cell.rate_per_s, 1'000U);
  EXPECT_EQ(plan.loads[0].cell.depth, 0U) << "as many as are due";
  EXPECT_EQ(plan.loads[0].slice_ns, kOpenSlice_ns);
  EXPECT_EQ(plan.loads[0].seconds, 5);
  EXPECT_THAT(contenders_of(plan),
              ElementsAre("epoll-lt", "poll", "epoll-lt-again", "epoll-lt-extra-call"));
}

/// They are contenders of one load, because only servers of the same rig are compared.
TEST(SlicedPlan, ThreadingModelsAreComparedWithEachOther) {
  SlicedRequest request;
  request.experiment = &find_experiment("threads");
  request.backends = {"epoll-lt", "poll"};
  request.threads = {2};
  request.threading = {"shared", "half-sync"};
  SlicedPlan plan = sliced_plan(request);
  EXPECT_THAT(contenders_of(plan),
              ElementsAre("epoll-lt-shared", "epoll-lt-half-sync", "poll-shared", "poll-half-sync",
                          "epoll-lt-shared-again", "epoll-lt-extra-call"));
  EXPECT_EQ(cell_of(plan.loads[0].cell, plan.contenders[3].contender).threading, "half-sync");
  EXPECT_EQ(cell_of(plan.loads[0].cell, plan.contenders[5].contender).threading, "shared");
  request = {};
  request.experiment = &find_experiment("handoff");
  plan = sliced_plan(request);
  EXPECT_EQ(cell_of(plan.loads[0].cell, plan.contenders[1].contender).notify, "pipe");
  EXPECT_EQ(plan.contenders[1].contender.name, "epoll-lt-pipe");
}

TEST(SlicedPlan, TheOracleIsForClosedLoops) {
  SlicedRequest request;
  request.backends = {"oracle", "poll"};
  request.rate_per_s = {1'000};
  const SlicedPlan plan = sliced_plan(request);
  EXPECT_EQ(plan.contenders[1].contender.name, "oracle");
  EXPECT_THAT(plan.loads[0].unavailable[1], HasSubstr("one message at a time"));
  EXPECT_EQ(plan.loads[0].unavailable[2], "");
}

TEST(SlicedPlan, ACalibrationComparesTheBaselineWithItself) {
  SlicedRequest request;
  request.experiment = &find_experiment("calibration");
  const SlicedPlan plan = sliced_plan(request);
  EXPECT_EQ(plan.contenders.size(), 6U);
  for (const PlannedContender& one : plan.contenders) EXPECT_EQ(one.contender.backend, "epoll-lt");
  EXPECT_EQ(plan.family(Metric::cpu), 5U);
}

/// Latency is judged where messages are due whatever the server does, connections where they come
/// and go, throughput where both sides have a processor.
TEST(SlicedPlan, ALoadComparesWhatItCanTell) {
  PlannedLoad load;
  const auto compared = [&] {
    std::vector<std::string_view> names;
    for (const Metric metric : kMetrics) {
      if (load.compares(metric)) names.push_back(name_of(metric));
    }
    return names;
  };
  EXPECT_THAT(compared(), ElementsAre("server_cpu_ns_per_echo", "time_ns_per_echo"));
  load.placement = Placement::shared;
  EXPECT_THAT(compared(), ElementsAre("server_cpu_ns_per_echo"));
  load = {};
  load.cell.rate_per_s = 9;
  EXPECT_THAT(compared(),
              ElementsAre("server_cpu_ns_per_echo", "latency_ns_p50", "latency_ns_p99"));
  load.cell.rate_per_s = 0;
  load.cell.churn = 1;
  EXPECT_THAT(compared(), ElementsAre("server_cpu_ns_per_echo", "time_ns_per_connection",
                                      "first_echo_ns_p50", "first_echo_ns_p99"));
}

TEST(SlicedPlan, LooksWhetherItFitsBeforeItBuilds) {
  SlicedRequest request;
  request.connections = {900'000};
  EXPECT_THAT(refusal(request, ExitCode::unavailable), HasSubstr("descriptors"));
}

TEST(SlicedPlan, IsTheSameWhenItIsRead) {
  SlicedRequest request;
  request.precision = 0.03;
  request.same_within = 0.02;
  const SlicedPlan plan = sliced_plan(request);
  const SlicedPlan read = plan_from_json(plan_json(plan));
  EXPECT_EQ(plan_json(read), plan_json(plan));
  EXPECT_EQ(read.precision, 0.03);
  EXPECT_EQ(read.loads[3].unavailable, plan.loads[3].unavailable);
  EXPECT_EQ(read.loads[0].cell, plan.loads[0].cell);
}

TEST(SlicedPlan, IsDescribedBeforeItRuns) {
  const std::string text = describe(sliced_plan({}));
  for (const char* const part : {"baseline    epoll-lt", "self-check  epoll-lt-again",
                                 "load        100 busy, 5k silent: at most 52 s",
                                 "without libevent-select", "4 servers of the baseline"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace muxlab
