#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/gates.hpp"
#include "bench/statistics.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {

/// All trials of one cell in one line of summary.csv.
struct SummaryRow {
  std::string experiment;
  Cell cell;
  std::uint64_t trials = 0;            ///< that are ok
  std::uint64_t failed = 0;            ///< in which something went wrong
  std::uint64_t unsupported = 0;       ///< that were not run
  std::uint64_t untrusted = 0;         ///< that met a gate
  Limiter limiter = Limiter::unknown;  ///< of most of the trials in the spreads
  /// Of the trials that are ok; where there is none, of those that met a gate. A rate that the
  /// client limited is not there.
  std::array<std::optional<Spread>, kMetricNames.size()> spreads;

  [[nodiscard]] bool is_measured() const { return trials + untrusted > 0; }
  [[nodiscard]] const std::optional<Spread>& spread(Metric metric) const {
    return spreads[static_cast<std::size_t>(metric)];
  }
};

/// One row per cell, by threads, idle connections, connections, and then in the order of `backends`
/// with others behind; so the order of the trials does not show.
std::vector<SummaryRow> summarise(std::span<const TrialRow> trials,
                                  std::span<const std::string> backends);

/// The fewest and the most trials that are ok, of any cell that was measured; both 0 without one.
struct TrialCount {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
TrialCount count_trials(std::span<const SummaryRow> rows);

/// summary.csv: per metric M the columns M_median, M_min, M_max, and M_low and M_high for the
/// interval of the median; empty where there is none.
std::string summary_csv(std::span<const SummaryRow> rows);

}  // namespace muxlab
