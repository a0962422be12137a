#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/statistics.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {

/// All trials of one cell in one line of summary.csv.
struct SummaryRow {
  std::string experiment;
  Cell cell;
  std::uint64_t size_bytes = 0;
  std::uint64_t depth = 0;
  std::uint64_t trials = 0;       ///< that are ok: only these are in the spreads
  std::uint64_t failed = 0;       ///< that were run and cannot be trusted
  std::uint64_t unsupported = 0;  ///< that were not run
  std::array<std::optional<Spread>, kMetricNames.size()> spreads;

  [[nodiscard]] const std::optional<Spread>& spread(Metric metric) const {
    return spreads[static_cast<std::size_t>(metric)];
  }
};

/// One row per cell, by threads, idle connections, connections, and then in the order of `backends`
/// with others behind; so the order of the trials does not show.
std::vector<SummaryRow> summarise(std::span<const TrialRow> trials,
                                  std::span<const std::string> backends);

/// The fewest and the most trials that any point with at least one stands on; both 0 without
/// points.
struct TrialCount {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};
TrialCount count_trials(std::span<const SummaryRow> rows);

/// summary.csv: per metric M the columns M_median, M_min and M_max, empty where no trial is ok.
std::string summary_csv(std::span<const SummaryRow> rows);

}  // namespace muxlab
