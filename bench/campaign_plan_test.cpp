#include "bench/campaign_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/backend.hpp"
#include "bench/campaign_backends.hpp"
#include "bench/instrument.hpp"

namespace muxlab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> models = {"single", "reuseport"};
const std::vector<BackendInfo> known_here = {
    {"poll", false, true, "", "", std::nullopt, models},
    {"libevent-select", false, true, "aborts beyond", "", 1000, models},
    {"io-uring", false, false, "disabled", "sysctl kernel.io_uring_disabled=0", 0, {}},
    {"bare-poll", true, true, "", "", std::nullopt, {"single"}},
};

CampaignPlan plan_for(const CampaignRequest& request) {
  return plan_campaign(find_experiment("throughput"), request, known_here);
}

ExitCode code_for(const CampaignRequest& request) {
  try {
    (void)plan_for(request);
  } catch (const Failure& failure) {
    return failure.code();
  }
  return ExitCode::ok;
}

CampaignRequest with_backends(std::vector<std::string> names) {
  CampaignRequest request;
  request.backends = std::move(names);
  return request;
}

TEST(CampaignPlan, ByDefaultTakesWhatWorksButControls) {
  const CampaignPlan plan = plan_for({});
  EXPECT_THAT(plan.grid.backends, ElementsAre("poll", "libevent-select"));
  EXPECT_EQ(plan.profile, "quick");
  EXPECT_EQ(plan.cells.size(), 2U * 2 * 3);
  EXPECT_EQ(plan.rounds, 3U);
}

TEST(CampaignPlan, WhatIsAskedForWins) {
  CampaignRequest request = with_backends({"bare-poll"});
  request.load_time = std::chrono::seconds(60);
  request.threads = {1};
  request.connections = {7};
  request.rounds = 2;
  request.seed = 9;
  request.window = std::chrono::milliseconds(50);
  request.folder = "here";
  const CampaignPlan plan = plan_for(request);
  EXPECT_EQ(plan.profile, "full");
  ASSERT_EQ(plan.cells.size(), 1U);
  EXPECT_EQ(plan.cells[0].cell, (Cell{"bare-poll", "single", 1, 7, 0}));
  EXPECT_EQ(plan.rounds, 2U);
  EXPECT_EQ(plan.seed, 9U);
  EXPECT_EQ(plan.folder, "here");
}

TEST(CampaignPlan, RoundsAreWhatFitsTheTimeOfALoad) {
  CampaignRequest request = with_backends({"poll"});
  request.load_time = std::chrono::seconds(5);
  CampaignPlan plan = plan_for(request);
  EXPECT_EQ(plan.profile, "quick");
  EXPECT_EQ(plan.rounds, 6U) << "trials of 400 ms, 100 ms before and 250 ms around";
  request.load_time = std::chrono::milliseconds(10);
  EXPECT_EQ(plan_for(request).rounds, 1U);
  request.load_time = std::chrono::seconds(20);
  EXPECT_EQ(plan_for(request).profile, "full");
}

TEST(CampaignPlan, QuickIsQuickOnADisturbedMachineToo) {
  const std::vector<BackendInfo> known = inspect_backends(MUXLAB_BINARY);
  for (const Experiment& experiment : experiments()) {
    const Expectation quick = expect(plan_campaign(experiment, {}, known));
    EXPECT_LE(quick.duration + quick.repeats + quick.patience,
              std::chrono::seconds(experiment.name == "throughput" ? 300 : 85))
        << experiment.name;
    CampaignRequest request;
    request.load_time = std::chrono::seconds(60);
    const Expectation full = expect(plan_campaign(experiment, request, known));
    EXPECT_EQ(full.patience, full.duration / 3) << experiment.name;
  }
}

TEST(CampaignPlan, AddsTheRowsThatCheckTheInstrument) {
  std::vector<BackendInfo> known = known_here;
  for (const std::string_view name : kInstrumentRows) {
    known.push_back({std::string(name), true, true, "", "", std::nullopt, models});
  }
  CampaignRequest request = with_backends({"poll"});
  request.threads = {1};
  request.connections = {10, 100};
  const Experiment& experiment = find_experiment("throughput");
  const CampaignPlan plan = plan_campaign(experiment, request, known);
  EXPECT_THAT(plan.grid.backends, ElementsAre("poll"));
  EXPECT_THAT(plan.instrument, ElementsAre(kBaseline, kSameAgain, kOneCallMore));
  EXPECT_EQ(plan.cells.size(), 2U * 4);
  request.backends = {std::string(kBaseline), "poll"};
  EXPECT_THAT(plan_campaign(experiment, request, known).instrument,
              ElementsAre(kSameAgain, kOneCallMore));
  known.back().works = false;
  EXPECT_TRUE(plan_campaign(experiment, request, known).instrument.empty());
}

TEST(CampaignPlan, AnOpenLoopHasNoDepthUnlessAsked) {
  CampaignRequest request = with_backends({"poll"});
  request.threads = {1};
  request.connections = {10};
  request.rate_per_s = {0, 20'000};
  const CampaignPlan plan = plan_for(request);
  ASSERT_EQ(plan.cells.size(), 2U);
  EXPECT_EQ(plan.cells[0].cell.depth, 1U);
  EXPECT_EQ(plan.cells[1].cell.depth, 0U);
  EXPECT_EQ(plan.cells[1].cell.rate_per_s, 20'000U);
  EXPECT_THAT(describe(plan), HasSubstr("closed loop, open loop of 20000/s"));
  request.depth = 3;
  EXPECT_EQ(plan_for(request).cells[1].cell.depth, 3U);
}

TEST(CampaignPlan, MarksWhatABackendCannotDo) {
  CampaignRequest request = with_backends({"libevent-select", "bare-poll"});
  request.connections = {100, 5000};
  std::vector<std::string> unsupported;
  for (const PlannedCell& planned : plan_for(request).cells) {
    if (planned.unsupported) unsupported.push_back(*planned.unsupported);
  }
  EXPECT_THAT(unsupported, testing::UnorderedElementsAre(
                               HasSubstr("at most 1000 connections here: aborts beyond"),
                               HasSubstr("at most 1000 connections here"),
                               HasSubstr("bare-poll does not do --threading reuseport"),
                               HasSubstr("bare-poll does not do --threading reuseport")));
}

TEST(CampaignPlan, IdleConnectionsCountToo) {
  const Cell cell{"libevent-select", "single", 1, 600, 600};
  EXPECT_TRUE(why_unsupported(known_here[1], cell));
}

TEST(CampaignPlan, RejectsWhatMakesNoSense) {
  EXPECT_EQ(code_for(with_backends({"kqueue"})), ExitCode::usage);
  EXPECT_EQ(code_for(with_backends({"poll", "poll"})), ExitCode::usage);
  EXPECT_EQ(code_for(with_backends({"io-uring"})), ExitCode::unavailable);
  CampaignRequest request;
  request.threads = {1, 1};
  EXPECT_EQ(code_for(request), ExitCode::usage);
  request.threads = {2};
  request.threading = {{"single"}};
  EXPECT_EQ(code_for(request), ExitCode::usage);
  request.threading = {{"round-robin"}};
  EXPECT_EQ(code_for(request), ExitCode::usage);
}

TEST(CampaignPlan, UnixSocketsAreHandedOut) {
  CampaignRequest request = with_backends({"poll"});
  request.unix_sockets = true;
  request.threads = {1, 2};
  request.connections = {10};
  const CampaignPlan plan = plan_for(request);
  EXPECT_TRUE(plan.cells.front().cell.unix_sockets);
  ASSERT_EQ(plan.cells.size(), 2U);
  EXPECT_EQ(plan.cells[0].cell.threading, "single");
  EXPECT_EQ(plan.cells[1].cell.threading, "acceptor");
  EXPECT_THAT(describe(plan), HasSubstr("over unix sockets"));
  request.threading = {{"reuseport"}};
  EXPECT_EQ(code_for(request), ExitCode::usage);
}

TEST(CampaignPlan, IsDescribedBeforeItRuns) {
  const std::string text = describe(plan_for({}));
  EXPECT_THAT(text, HasSubstr("throughput, quick"));
  EXPECT_THAT(text, HasSubstr("poll libevent-select"));
  EXPECT_THAT(text, HasSubstr("30 in 3 rounds of 12 cells, 2 of them unsupported"));
  EXPECT_THAT(text, HasSubstr("takes about"));
}

/// "A minute or so", which on a restless machine is half as much again.
TEST(CampaignPlan, QuickExperimentsAreQuick) {
  std::vector<BackendInfo> all;
  for (const bool is_control : {false, true}) {
    for (const Backend* backend : is_control ? controls() : backends()) {
      all.push_back({std::string(backend->name),
                     is_control,
                     true,
                     "",
                     "",
                     std::nullopt,
                     {"single", "reuseport", "shared", "acceptor", "half-sync"}});
    }
  }
  for (const Experiment& experiment : experiments()) {
    const CampaignPlan plan = plan_campaign(experiment, {}, all);
    const auto most =
        experiment.name == "throughput" ? std::chrono::seconds(240) : std::chrono::seconds(75);
    EXPECT_LE(expect(plan).duration, most) << experiment.name;
    EXPECT_GE(plan.cells.size(), 6U) << experiment.name;
  }
}

}  // namespace
}  // namespace muxlab
