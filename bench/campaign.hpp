#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "backends/failure.hpp"
#include "bench/experiment.hpp"
#include "bench/trial.hpp"

namespace muxlab {

/// A cell, and why it cannot be run here if so.
struct PlannedCell {
  Cell cell;
  std::optional<std::string> unsupported;
};

/// All that is decided before the first trial.
struct CampaignPlan {
  std::string experiment;
  std::string profile;  ///< "quick" or "full"
  Grid grid;
  std::vector<PlannedCell> cells;
  std::vector<std::string> instrument;  ///< backends that are there to check the instrument only
  std::uint64_t rounds = 1;
  std::uint64_t seed = 0;
  TrialSetup setup;
  std::vector<int> allowed_processors;
  std::filesystem::path folder;
  std::vector<std::string> command_line;
  bool is_resumed = false;  ///< the folder holds the first of the trials already
};

/// What a trial takes beside its warm-up and its window: two processes and their connections.
inline constexpr std::chrono::nanoseconds kTrialOverhead = std::chrono::milliseconds(250);

/// How many trials a plan will run and about how long they take, unsupported ones left out; and how
/// much longer it may take on a machine that is disturbed.
struct Expectation {
  std::uint64_t trials = 0;
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds repeats{0};   ///< to measure again what was disturbed
  std::chrono::nanoseconds patience{0};  ///< to put trials off while the machine is slow
};
Expectation expect(const CampaignPlan& plan);

/// Runs every trial of `plan`, or those that a folder which is resumed lacks, and leaves in its
/// folder
///   machine.json  what was run where, from before the first trial on
///   trials.csv    a row per trial, from the moment that it is done
///   summary.csv, plots/  what render_report() makes of them
/// and prints the results on stdout, all else on stderr.
///
/// SIGINT and SIGTERM end it at once: all children are ended, the trial under way is dropped, what
/// was measured before is kept and drawn. Returns untrusted when trials failed, when at some point
/// each was disturbed, or when the instrument was found to be wrong. Throws Failure when
/// the folder cannot be written or the plots cannot be drawn; the trials are then there all the
/// same.
ExitCode run_campaign(const CampaignPlan& plan);

}  // namespace muxlab
