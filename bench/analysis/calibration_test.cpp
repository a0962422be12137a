#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "bench/analysis/verdict.hpp"
#include "bench/data/csv.hpp"

namespace muxlab {
namespace {

/// Records of six identical servers by scripts/instrument, in consecutive campaigns of 5 s. So the
/// noise is that of a real machine, and the test assumes no distribution. It uses whole rigs, in
/// the order of measuring.
class CalibrationRecord : public testing::Test {
 protected:
  static constexpr std::uint64_t kInstances = 2;  // of the baseline, in these campaigns

  struct Rig {
    std::uint64_t look;
    RigSummary summary;
  };
  /// Of each campaign, for each contender the rigs.
  using Campaign = std::map<std::string, std::vector<Rig>>;

  CalibrationRecord() {
    const CsvTable table =
        read_csv(std::string(MUXLAB_SOURCE_DIR) + "/results/instrument/calibration.csv");
    for (const auto& fields : table.records) {
      const auto number = [&](const char* name) { return std::stod(fields[table.column(name)]); };
      const auto count = [&](const char* name) { return std::stoull(fields[table.column(name)]); };
      campaigns_.resize(std::max<std::size_t>(campaigns_.size(), count("campaign") + 1));
      campaigns_.back()[fields[table.column("contender")]].push_back(
          {.look = count("look"),
           .summary = {.blocks = count("n"),
                       .trimmed_mean = number("trimmed_mean"),
                       .winsorised_variance = number("winsorised_variance"),
                       .stretches = count("stretches"),
                       .stretch_variance = number("stretch_variance")}});
    }
  }

  /// Returns the rule's findings of each contender at `look`; multiplies costs by `factor`.
  static std::vector<Finding> findings(const Campaign& campaign, std::size_t look,
                                       double factor = 1) {
    std::vector<std::vector<RigSummary>> comparisons;
    for (const auto& [name, rigs] : campaign) {
      auto& all = comparisons.emplace_back();
      for (const Rig& rig : rigs) {
        if (rig.look > look) continue;
        all.push_back(rig.summary);
        all.back().trimmed_mean += std::log(factor);
      }
    }
    const Inflation inflation = inflation_of(comparisons, kInstances);
    std::vector<Finding> found;
    for (const auto& rigs : comparisons) {
      found.push_back(judge(estimate_of(rigs, inflation), look, {.family = comparisons.size()}));
    }
    return found;
  }

  std::vector<Campaign> campaigns_;
};

/// The looks spend 10, 20 and 70 % of an error of 5 %. So about 10 of 200 campaigns have such an
/// interval at any look, and 98 of 100 such records have 17 or fewer.
TEST_F(CalibrationRecord, IntervalsHoldAtAllLooks) {
  ASSERT_EQ(campaigns_.size(), 200U);
  int wrong = 0;
  for (const Campaign& campaign : campaigns_) {
    ASSERT_EQ(campaign.size(), 5U);
    bool excludes = false;
    for (std::size_t look = 0; look < kLookErrors.size(); ++look) {
      for (const Finding& finding : findings(campaign, look)) {
        excludes = excludes || finding.low > 1 || finding.high < 1;
      }
    }
    wrong += excludes ? 1 : 0;
  }
  EXPECT_LE(wrong, 17);
  RecordProperty("wrong", wrong);
}

/// Joins consecutive campaigns to minutes: as many as measure for 60 s.
TEST_F(CalibrationRecord, ATenthMoreIsFoundInAMinute) {
  constexpr std::size_t kCampaignsPerMinute = 12;
  int found = 0, all = 0;
  for (std::size_t begin = 0; begin + kCampaignsPerMinute <= campaigns_.size();
       begin += kCampaignsPerMinute) {
    Campaign minute;
    for (std::size_t i = begin; i < begin + kCampaignsPerMinute; ++i) {
      for (const auto& [name, rigs] : campaigns_[i]) {
        minute[name].insert(minute[name].end(), rigs.begin(), rigs.end());
      }
    }
    for (const Finding& finding : findings(minute, kLookErrors.size() - 1, 1.10)) {
      found += finding.verdict == Verdict::more_expensive ? 1 : 0;
      ++all;
    }
  }
  EXPECT_EQ(all, 16 * 5);
  EXPECT_GE(found, 0.9 * all);
  RecordProperty("found", found);
}

}  // namespace
}  // namespace muxlab
