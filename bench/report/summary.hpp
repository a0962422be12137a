#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/analysis/answer.hpp"
#include "bench/data/statistics.hpp"

namespace muxlab {

/// What is told of each rig beside what is compared, by the names of columns of summary.csv;
/// published, so never changed, only added to.
///
/// `cpu_*_ns_per_echo` are what CPU time goes into where calls are timed: those that wait, read,
/// write and change what is waited for, reading the clocks for that, and the rest. For io_uring the
/// calls that wait also do the work. `syscalls_predicted_per_echo` is what theory says for so many
/// `events_per_wait`. `fairness` is Jain's index of the echoes of each connection. Memory is per
/// connection, silent or not; the kernel's is that of both ends.
std::span<const std::string> figure_names();

/// A contender at a load, over all its rigs.
struct SummaryRow {
  std::string experiment;
  Cell cell;  ///< as it ran
  std::uint64_t rigs = 0;
  Bound bound = Bound::unknown;
  std::vector<std::optional<Spread>> spreads;  ///< in the order of figure_names()

  [[nodiscard]] bool is_measured() const { return rigs > 0; }
  [[nodiscard]] const std::optional<Spread>& spread(std::string_view figure) const;
};

/// One for each load and contender, self-checks left out. From the least to the greatest rig but
/// for CPU time, which is the baseline's times the ratio, with its interval.
std::vector<SummaryRow> summarise(const Answer& answer, std::span<const RigRecord> records);

/// summary.csv: per figure F the columns F_median, F_min and F_max, empty where there is none.
std::string summary_csv(std::span<const SummaryRow> rows);

}  // namespace muxlab
