#include "bench/trial_pairs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace muxlab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const std::string slow = "system calls took 1.40 times as long as at best";
const std::string host = "the host took 12 % of the processors";

/// A campaign of two backends at one point, trial by trial.
class TrialPairing : public testing::Test {
 protected:
  void measure(const std::string& backend, std::uint64_t round, double cpu_ns, double canary_ns,
               const std::string& reason = "", std::uint64_t connections = 100) {
    TrialRow row;
    row.round = round;
    row.cell = {backend, "single", 1, connections, 0};
    row.outcome.status = reason.empty() ? TrialStatus::ok : TrialStatus::untrusted;
    row.outcome.reason = reason;
    row.outcome.metrics[Metric::server_cpu_ns_per_echo] = cpu_ns;
    row.outcome.metrics[Metric::canary_ns] = canary_ns;
    trials_.push_back(row);
  }

  /// Those at the only point that has some.
  std::vector<std::pair<double, double>> pairs() const {
    const auto all = pair_trials(trials_, "poll", "epoll-lt");
    EXPECT_LE(all.size(), 1U);
    return all.empty() ? std::vector<std::pair<double, double>>() : all.front().cpu_ns;
  }

  std::vector<TrialRow> trials_;
};

TEST_F(TrialPairing, AreOfTheSameRound) {
  measure("poll", 1, 5000, 300);
  measure("epoll-lt", 2, 4000, 300);
  EXPECT_THAT(pairs(), IsEmpty());
  measure("epoll-lt", 1, 4500, 300);
  measure("select", 1, 1, 300);
  EXPECT_THAT(pairs(), ElementsAre(Pair(5000, 4500)));
}

TEST_F(TrialPairing, AreOfTheSamePoint) {
  measure("poll", 1, 5000, 300);
  measure("epoll-lt", 1, 4000, 300, "", 1000);
  EXPECT_THAT(pairs(), IsEmpty());
  measure("poll", 2, 5100, 300, "", 1000);
  measure("epoll-lt", 2, 4100, 300, "", 1000);
  measure("poll", 2, 5200, 300);
  measure("epoll-lt", 2, 4200, 300);
  const auto all = pair_trials(trials_, "poll", "epoll-lt");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].cell.connections, 100U);
  EXPECT_THAT(all[0].cpu_ns, ElementsAre(Pair(5200, 4200)));
  EXPECT_EQ(all[1].cell.connections, 1000U);
  EXPECT_THAT(all[1].cpu_ns, ElementsAre(Pair(5100, 4100)));
}

TEST_F(TrialPairing, OfAMachineThatIsSlowForBothAreAsGood) {
  measure("poll", 1, 7000, 420, slow);
  measure("epoll-lt", 1, 6000, 410, slow);
  EXPECT_THAT(pairs(), ElementsAre(Pair(7000, 6000)));
}

TEST_F(TrialPairing, OfAMachineThatIsSlowForOneAreNone) {
  measure("poll", 1, 7000, 420, slow);
  measure("epoll-lt", 1, 4000, 300);
  EXPECT_THAT(pairs(), IsEmpty());
  measure("poll", 2, 5000, 300);
  measure("epoll-lt", 2, 6000, 420, slow);
  EXPECT_THAT(pairs(), IsEmpty());
}

TEST_F(TrialPairing, TakesOfRepeatedTrialsTheMostAlike) {
  measure("poll", 1, 7000, 420, slow);
  measure("poll", 1, 5000, 301);
  measure("poll", 1, 5500, 320);
  measure("epoll-lt", 1, 4000, 300);
  EXPECT_THAT(pairs(), ElementsAre(Pair(5000, 4000)));
  measure("epoll-lt", 1, 6000, 420, slow);
  EXPECT_THAT(pairs(), ElementsAre(Pair(7000, 6000))) << "one pair of a round, not two";
}

TEST_F(TrialPairing, LeavesOutWhatElseDisturbed) {
  measure("poll", 1, 5000, 300, host);
  measure("poll", 1, 5000, 300, host + "; " + slow);
  measure("poll", 1, 5000, 300, slow + "; an accept queue overflowed 3 times");
  measure("epoll-lt", 1, 4000, 300);
  EXPECT_THAT(pairs(), IsEmpty());
  measure("poll", 2, 5000, 300);
  measure("epoll-lt", 2, 4000, 300);
  trials_.back().outcome.status = TrialStatus::failed;
  EXPECT_THAT(pairs(), IsEmpty());
}

TEST_F(TrialPairing, WithoutACanaryTakeTwoThatNothingDisturbed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  measure("poll", 1, 5000, nan);
  measure("epoll-lt", 1, 4000, nan);
  measure("poll", 2, 5000, nan, slow);
  measure("epoll-lt", 2, 4000, nan);
  measure("poll", 3, nan, 300);
  measure("epoll-lt", 3, 4000, 300);
  EXPECT_THAT(pairs(), ElementsAre(Pair(5000, 4000)));
}

}  // namespace
}  // namespace muxlab
