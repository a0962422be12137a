#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/compare_unpaired.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {

/// `same`: the whole interval lies within the threshold. `cannot_tell`: it does not, nor is the
/// difference beyond it and beyond chance.
enum class ChangeVerdict { regressed, improved, same, cannot_tell };

/// What two campaigns have to have in common to be compared at all.
struct MeasuredPoint {
  std::string experiment;
  Cell cell;

  bool operator==(const MeasuredPoint&) const = default;
};

/// One metric at one point, before and after.
struct Change {
  MeasuredPoint point;
  Metric metric{};
  UnpairedRatio ratio;
  double p_of_all = 1;  ///< corrected for all changes that were looked for
  ChangeVerdict verdict = ChangeVerdict::cannot_tell;
};

/// Why something was not compared.
struct NotCompared {
  MeasuredPoint point;
  Metric metric{};
  std::string reason;  ///< one line
};

struct Changes {
  std::vector<Change> changes;
  std::vector<NotCompared> not_compared;
  std::size_t only_before = 0;  ///< points that the other campaign does not have
  std::size_t only_after = 0;
};

/// Everything that both campaigns measured: the server's CPU time and the system calls of an echo,
/// and throughput where in both it was neither the client's nor the rate that was offered.
/// By experiment, size, threads and connections, and then in the order of `backends` with others
/// behind. A verdict takes seven trials that are ok on each side, and a difference of more than
/// `threshold` (0.03 for 3 %) that is not chance, whatever the number of comparisons.
Changes find_changes(std::span<const TrialRow> before, std::span<const TrialRow> after,
                     std::span<const std::string> backends, double threshold);

/// "regressed", "improved", "same" or "cannot tell".
std::string_view change_verdict_name(ChangeVerdict verdict);

}  // namespace muxlab
