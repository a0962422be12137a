#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/statistics.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {

enum class TrialVerdict { cheaper, dearer, cannot_tell };

/// The server's CPU time per echo of one cell, against that of the baseline at the same point.
struct Comparison {
  Cell cell;
  std::string baseline;
  PairedRatio ratio;    ///< of the trials that pair_trials() pairs
  double p_of_all = 1;  ///< corrected for all comparisons that were made
  TrialVerdict verdict = TrialVerdict::cannot_tell;
};

/// Every cell of `backends` against that of `epoll-lt` at the same point, or of the first of them
/// where that is not one; in their order. Paired by round and by the machine's phase, as it is
/// not the same from one to the next (bench/trial_pairs.hpp). Empty where there is nothing to
/// compare with.
std::vector<Comparison> compare(std::span<const TrialRow> trials,
                                std::span<const std::string> backends);

/// comparisons.csv: a record per comparison.
std::string comparisons_csv(std::span<const Comparison> comparisons);

/// What they say in words, a line per point and verdict.
std::string comparison_text(std::span<const Comparison> comparisons);

/// "cheaper", "dearer" or "cannot tell".
std::string_view verdict_name(TrialVerdict verdict);

}  // namespace muxlab
