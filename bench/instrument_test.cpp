#include "bench/instrument.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>

#include "bench/comparison.hpp"
#include "bench/csv.hpp"
#include "bench/gates.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Rounds at two points, in which the two other rows cost so many times as much as the baseline.
std::vector<TrialRow> campaign(std::uint64_t rounds, double same_again, double one_call_more) {
  std::mt19937_64 random(2);
  std::lognormal_distribution<double> noise(0, 0.02);
  std::vector<TrialRow> trials;
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    for (const std::uint64_t connections : {100U, 1000U}) {
      for (const auto& [backend, ratio] :
           {std::pair{kBaseline, 1.0}, {kSameAgain, same_again}, {kOneCallMore, one_call_more}}) {
        TrialRow row;
        row.round = round;
        row.cell.backend = backend;
        row.cell.connections = connections;
        row.outcome.metrics[Metric::server_cpu_ns_per_echo] = 5000 * ratio * noise(random);
        trials.push_back(row);
      }
    }
  }
  return trials;
}

TEST(Instrument, IsSoundWhenItSeesWhatIsThere) {
  const InstrumentCheck check = check_instrument(campaign(10, 1, 1.1));
  EXPECT_TRUE(check.is_sound());
  EXPECT_FALSE(check.is_refuted());
  EXPECT_EQ(check.same_again->pairs, 20U);
  EXPECT_NEAR(check.one_call_more->ratio, 1.1, 0.05);
  EXPECT_THAT(instrument_text(check),
              AllOf(HasSubstr("no difference, as it should be"),
                    HasSubstr("noticed, as it should be"), Not(HasSubstr("NOT"))));
}

TEST(Instrument, IsRefutedByADifferenceWhereThereIsNone) {
  const InstrumentCheck check = check_instrument(campaign(10, 1.1, 1.1));
  EXPECT_TRUE(check.is_refuted());
  EXPECT_THAT(instrument_text(check), AllOf(testing::StartsWith("NOT TO BE TRUSTED"),
                                            HasSubstr("A DIFFERENCE WHERE THERE IS NONE")));
}

TEST(Instrument, IsRefutedWhenItDoesNotNoticeACallMore) {
  EXPECT_THAT(instrument_text(check_instrument(campaign(10, 1, 1))),
              AllOf(testing::StartsWith("NOT TO BE TRUSTED"), HasSubstr("NOT NOTICED")));
  EXPECT_TRUE(check_instrument(campaign(10, 1, 0.9)).is_refuted()) << "less is not more";
}

TEST(Instrument, IsNotCheckedByFewPairs) {
  const InstrumentCheck few = check_instrument(campaign(3, 1.5, 1));
  EXPECT_FALSE(few.is_sound());
  EXPECT_FALSE(few.is_refuted());
  EXPECT_THAT(instrument_text(few), HasSubstr("is not checked"));
  EXPECT_THAT(instrument_text(check_instrument({})), HasSubstr("is not checked"));
}

TEST(Instrument, LeavesOutWhatWasDisturbed) {
  std::vector<TrialRow> trials = campaign(10, 1, 1.1);
  trials[1].outcome.status = TrialStatus::untrusted;  // once again, in the first round
  EXPECT_EQ(check_instrument(trials).same_again->pairs, 19U);
}

TEST(Instrument, IsCheckedOnASlowMachineToo) {
  std::vector<TrialRow> trials = campaign(10, 1, 1.1);
  for (TrialRow& trial : trials) {
    trial.outcome.metrics[Metric::canary_ns] = 420;
    trial.outcome.status = TrialStatus::untrusted;
    trial.outcome.reason = why_disturbed(trial.outcome.metrics, 300, Gates());
  }
  EXPECT_EQ(check_instrument(trials).same_again->pairs, 20U);
}

/// Campaigns drawn from real trials: results/instrument/README.md.
class Resampled : public testing::Test {
 protected:
  static constexpr int kCampaigns = 400;
  static constexpr std::size_t kRounds = 10;

  Resampled() {
    const auto file = std::filesystem::path(MUXLAB_SOURCE_DIR) / "results/instrument/trials.csv";
    std::map<std::uint64_t, std::vector<TrialRow>> rounds;
    for (const TrialRow& row : trial_rows(read_csv(file))) {
      if (row.outcome.status == TrialStatus::ok) rounds[row.round].push_back(row);
    }
    for (auto& [number, trials] : rounds) {
      if (trials.size() == kInstrumentRows.size()) whole_rounds_.push_back(std::move(trials));
    }
  }

  /// So many of its rounds, each once at most, with the cost of epoll-lt-again multiplied.
  std::vector<TrialRow> draw(double factor) {
    std::ranges::shuffle(whole_rounds_, random_);
    std::vector<TrialRow> trials;
    for (std::size_t round = 0; round < kRounds; ++round) {
      for (TrialRow row : whole_rounds_[round]) {
        row.round = round + 1;
        if (row.cell.backend == kSameAgain) {
          row.outcome.metrics[Metric::server_cpu_ns_per_echo] *= factor;
        }
        trials.push_back(row);
      }
    }
    return trials;
  }

  /// How many of the campaigns come to that verdict of epoll-lt-again.
  int count(TrialVerdict verdict, double factor) {
    int found = 0;
    for (int campaign = 0; campaign < kCampaigns; ++campaign) {
      const auto comparisons = compare(draw(factor), names_);
      EXPECT_EQ(comparisons.size(), 1U);
      found += comparisons.front().verdict == verdict ? 1 : 0;
    }
    return found;
  }

  const std::vector<std::string> names_ = {std::string(kBaseline), std::string(kSameAgain)};
  std::vector<std::vector<TrialRow>> whole_rounds_;
  std::mt19937_64 random_{1};
};

TEST_F(Resampled, OfTheSameTwiceItCannotTell) {
  ASSERT_GE(whole_rounds_.size(), 40U);
  EXPECT_GE(count(TrialVerdict::cannot_tell, 1), kCampaigns * 95 / 100);
}

TEST_F(Resampled, ATenthMoreIsFound) {
  EXPECT_GE(count(TrialVerdict::dearer, 1.1), kCampaigns * 90 / 100);
  EXPECT_GE(count(TrialVerdict::cheaper, 1 / 1.1), kCampaigns * 90 / 100);
}

TEST_F(Resampled, OneCallMoreIsNoticed) {
  int sound = 0;
  for (int campaign = 0; campaign < kCampaigns; ++campaign) {
    sound += check_instrument(draw(1)).is_sound() ? 1 : 0;
  }
  EXPECT_GE(sound, kCampaigns * 95 / 100);
}

}  // namespace
}  // namespace muxlab
