#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "bench/trial_metrics.hpp"

namespace muxlab {

/// What the kernel had counted, at one moment, of things that disturb a trial. Nothing where it
/// does not tell.
struct Conditions {
  /// Seconds that some processors were busy or taken by the host, since the machine was started:
  /// proc_stat(5), which counts in ticks.
  std::optional<double> busy_s;
  std::optional<double> stolen_s;
  /// Connections that found no room in an accept queue: /proc/net/netstat.
  std::optional<std::uint64_t> listen_drops;
  /// Periods in which a limit of this process's control group stopped it: cgroups(7), cpu.stat.
  std::optional<std::uint64_t> throttled_periods;
  /// What the kernel has of objects of its own, sockets among them: /proc/meminfo, Slab.
  std::optional<double> slab_bytes;
};

/// Reads them for `processors`, or for all when empty, below `root`.
Conditions read_conditions(std::span<const int> processors, const std::filesystem::path& root);

/// Fills in what others took of `processors` between two moments `elapsed_s` apart, in which the
/// programs under test used `own_cpu_s` of them.
void add_shares_of_others(Metrics& metrics, const Conditions& begin, const Conditions& end,
                          double elapsed_s, double own_cpu_s, std::size_t processors);

/// Fills in what was counted between two moments.
void add_counted(Metrics& metrics, const Conditions& begin, const Conditions& end);

}  // namespace muxlab
