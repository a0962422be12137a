#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "bench/statistics.hpp"

namespace muxlab {

/// How two things compare that were not measured under the same conditions, so that no trial of one
/// belongs to a trial of the other.
struct UnpairedRatio {
  std::size_t before_count = 0;
  std::size_t after_count = 0;
  double before = 0;  ///< geometric means
  double after = 0;
  double ratio = 1;   ///< after / before
  Interval interval;  ///< of that
  double p = 1;       ///< how often chance alone would put it that far from 1
};

/// By Welch's t-test of the logarithms, which does not take the two to be equally noisy. Values
/// that are NaN or not above 0 are left out; nothing when fewer than two are left of either.
///
/// Where neither varies at all, as a count may not, their ratio is certain: p is 1 or 0. What the
/// test cannot see is what all trials of a campaign share, such as how fast the host let it be.
std::optional<UnpairedRatio> unpaired_ratio(const std::vector<double>& before,
                                            const std::vector<double>& after);

}  // namespace muxlab
