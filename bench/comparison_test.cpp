#include "bench/comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "bench/gates.hpp"

namespace muxlab {
namespace {

using testing::HasSubstr;

/// `rounds` of each backend at two points; `cpu_ns` of its cost, and what the round adds to all.
const std::vector<std::string> every_name = {"select", "epoll-lt", "epoll-et",
                                             "new",    "poll",     "twin"};

class Campaign {
 public:
  explicit Campaign(std::uint64_t rounds, std::uint64_t seed = 5)
      : rounds_(rounds), random_(seed) {}

  Campaign& with(const std::string& backend, double cpu_ns, double noise = 0.02) {
    std::lognormal_distribution<double> own(0, noise);
    for (std::uint64_t round = 1; round <= rounds_; ++round) {
      for (const std::uint64_t connections : {100U, 1000U}) {
        TrialRow row;
        row.round = round;
        row.cell = {backend, "single", 1, connections, 0};
        const double shared = 1 + 0.3 * static_cast<double>(round % 3);
        row.outcome.metrics[Metric::server_cpu_ns_per_echo] = cpu_ns * shared * own(random_);
        trials.push_back(row);
      }
    }
    return *this;
  }

  std::vector<TrialRow> trials;

 private:
  std::uint64_t rounds_;
  std::mt19937_64 random_;
};

TEST(Comparison, TellsWhatIsCheaperAndDearerAndWhatCannotBeTold) {
  Campaign campaign(10);
  campaign.with("select", 8000).with("epoll-lt", 5000).with("epoll-et", 5010).with("new", 4000);
  const std::vector<Comparison> comparisons = compare(campaign.trials, every_name);
  ASSERT_EQ(comparisons.size(), 6U);
  for (const Comparison& comparison : comparisons) {
    EXPECT_EQ(comparison.baseline, "epoll-lt");
    EXPECT_EQ(comparison.ratio.pairs, 10U);
    const TrialVerdict expected = comparison.cell.backend == "select" ? TrialVerdict::dearer
                                  : comparison.cell.backend == "new"  ? TrialVerdict::cheaper
                                                                      : TrialVerdict::cannot_tell;
    EXPECT_EQ(comparison.verdict, expected) << comparison.cell.backend;
  }
  EXPECT_THAT(comparison_text(comparisons),
              HasSubstr("1 thread (single), 1k connections, against epoll-lt"));
  EXPECT_THAT(comparison_text(comparisons), HasSubstr("cheaper      new x0.8"));
  EXPECT_THAT(comparison_text(comparisons), HasSubstr("cannot tell  epoll-et\n"));
  EXPECT_THAT(comparisons_csv(comparisons),
              HasSubstr("epoll-lt,select,single,1,100,0,64,1,tcp,0,0,auto,eventfd,10,1.6"));
}

TEST(Comparison, NeverTellsFromFewTrials) {
  Campaign campaign(6);
  campaign.with("epoll-lt", 5000).with("select", 50'000);
  for (const Comparison& comparison : compare(campaign.trials, every_name)) {
    EXPECT_EQ(comparison.verdict, TrialVerdict::cannot_tell);
  }
  EXPECT_THAT(comparison_text(compare(campaign.trials, every_name)),
              HasSubstr("fewer than 7 pairs of trials"));
}

TEST(Comparison, LeavesOutRoundsInWhichOneFailed) {
  Campaign campaign(10);
  campaign.with("epoll-lt", 5000).with("select", 8000);
  campaign.trials.front().outcome.status = TrialStatus::failed;  // of epoll-lt at 100, round 1
  const std::vector<Comparison> comparisons = compare(campaign.trials, every_name);
  ASSERT_EQ(comparisons.size(), 2U);
  EXPECT_EQ(comparisons[0].ratio.pairs, 9U);
  EXPECT_EQ(comparisons[1].ratio.pairs, 10U);
}

TEST(Comparison, StandsOnTrialsOfASlowMachineToo) {
  Campaign campaign(10);
  campaign.with("epoll-lt", 5000).with("select", 8000);
  for (TrialRow& trial : campaign.trials) {
    const bool is_slow = trial.round % 2 == 0;
    trial.outcome.metrics[Metric::canary_ns] = is_slow ? 420 : 300;
    if (!is_slow) continue;
    trial.outcome.status = TrialStatus::untrusted;
    trial.outcome.reason = why_disturbed(trial.outcome.metrics, 300, Gates());
  }
  for (const Comparison& comparison : compare(campaign.trials, every_name)) {
    EXPECT_EQ(comparison.ratio.pairs, 10U);
    EXPECT_EQ(comparison.verdict, TrialVerdict::dearer);
  }
}

TEST(Comparison, TakesTheFirstForABaselineWhereTheUsualOneIsMissing) {
  Campaign campaign(7);
  const std::vector<std::string> asked = {"poll", "select"};
  campaign.with("poll", 5000).with("select", 8000);
  EXPECT_EQ(compare(campaign.trials, asked).front().baseline, "poll");
  campaign.with("epoll-lt", 5000);
  EXPECT_EQ(compare(campaign.trials, asked).size(), 2U) << "what was not asked for is not there";
  EXPECT_TRUE(compare({}, {}).empty());
  EXPECT_EQ(comparison_text({}), "");
}

/// A campaign in which nothing differs says so, in nineteen of twenty: 28 of 400 are 1.8 deviations
/// more.
TEST(Comparison, FindsNothingWhereThereIsNothing) {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    Campaign same(10, seed);
    same.with("epoll-lt", 5000, 0.1).with("twin", 5000, 0.1);
    const auto comparisons = compare(same.trials, every_name);
    wrong += std::ranges::any_of(comparisons, [](const Comparison& comparison) {
      return comparison.verdict != TrialVerdict::cannot_tell;
    });
  }
  EXPECT_LE(wrong, 28);
}

}  // namespace
}  // namespace muxlab
