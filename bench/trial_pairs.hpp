#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/trial_row.hpp"

namespace muxlab {

/// What was measured of a cell and of the baseline at the same point.
struct TrialPairs {
  Cell cell;
  /// The server's CPU time per echo of both: a pair for each round in which nothing else differed.
  std::vector<std::pair<double, double>> cpu_ns;
};

/// Pairs the trials of `backend` with those of `baseline` at the same point and in the same round,
/// the machine being in the same phase in both: of trials that were repeated, the two in which its
/// system calls took the most similar time, and none where that differs by more than a gate allows.
///
/// The host of a virtual machine makes it slow for seconds at a time. How long an echo took then is
/// not what it takes here, and the trial counts as disturbed; but it was slow for both, and of two
/// such trials the ratio is as good as any, as far as a slow machine slows all backends alike. What
/// else disturbs a trial leaves it out here too. In the order of the points; those without a pair
/// are missing.
std::vector<TrialPairs> pair_trials(std::span<const TrialRow> trials, std::string_view backend,
                                    std::string_view baseline);

}  // namespace muxlab
