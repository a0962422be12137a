#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/campaign.hpp"
#include "bench/summary.hpp"

namespace muxlab {

/// machine.json: all that has to be known to judge or repeat a campaign. Its keys are published:
/// added to, never changed.
class CampaignRecord {
 public:
  /// What is known before the first trial; run_status is `running`.
  explicit CampaignRecord(const CampaignPlan& plan);
  /// Reads `folder`/machine.json. Throws Failure (usage) when it is missing, broken or of another
  /// schema.
  static CampaignRecord read(const std::filesystem::path& folder);

  /// It goes on, after an interruption.
  void resume();
  /// `complete`, `complete_with_failures` or `interrupted`, and the time.
  void finish(const std::string& run_status);
  /// Replaces `folder`/machine.json.
  void write(const std::filesystem::path& folder) const;

  [[nodiscard]] const nlohmann::ordered_json& json() const { return json_; }
  [[nodiscard]] std::vector<std::string> backends() const;
  /// The lines below each plot: machine, conditions, and what keeps it from being trusted.
  [[nodiscard]] std::string caption(TrialCount trials) const;
  /// Above how many server threads there were more than processors for them: between two numbers of
  /// threads that were measured, or below the first. Nothing when that was never so.
  [[nodiscard]] std::optional<double> crowded_from() const;
  /// Why the program that was measured is not one to measure; empty when it is, or is not known.
  [[nodiscard]] std::string doubt_of_the_build() const;
  /// What keeps the figures from ranking backends; empty when nothing does.
  [[nodiscard]] std::string caution(TrialCount trials) const;

 private:
  explicit CampaignRecord(nlohmann::ordered_json json) : json_(std::move(json)) {}

  nlohmann::ordered_json json_;
};

}  // namespace muxlab
