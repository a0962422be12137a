#pragma once

#include "bench/analysis/answer.hpp"

namespace muxlab {

enum class ChangeVerdict : std::uint8_t { same, improved, regressed, unclear };
std::string_view name_of(ChangeVerdict verdict);

/// The change of one figure of one contender at one load, from one campaign to another.
struct Change {
  PlannedLoad load;
  std::string contender;
  std::string figure;        ///< a metric, or "syscalls_per_echo"
  bool is_relative = false;  ///< before and after are ratios to the baseline; else ns, or calls
  double before = 0;
  double after = 0;
  Finding ratio;  ///< of after to before
  ChangeVerdict verdict = ChangeVerdict::unclear;
};

/// Compares the figures that both campaigns measured. CPU time and latency are compared as ratios
/// to the baseline, so the state of the machine on another day does not matter. If the baselines
/// differ they are compared as they are. The baseline's own figures and system calls per echo are
/// compared as they are, from the means of rigs. A change counts when its interval lies beyond
/// `threshold`, 0.03 for 3 %. All intervals of one figure hold together with 95 %.
std::vector<Change> compare_answers(const Answer& before, std::span<const RigRecord> before_records,
                                    const Answer& after, std::span<const RigRecord> after_records,
                                    double threshold);

}  // namespace muxlab
