#pragma once

#include "backends/counting/worker_stats.hpp"
#include "bench/data/plan.hpp"

namespace muxlab {

/// The statistics of one comparison in one rig; every verdict can be computed from these.
struct RigSummary {
  std::uint64_t blocks = 0;
  double trimmed_mean = 0;         ///< of the log ratios
  double winsorised_variance = 0;  ///< of one block
  std::uint64_t stretches = 0;     ///< of about a second
  /// Of one block, estimated from the variance of the stretches' means. It equals the winsorised
  /// variance when blocks are independent. 0 for fewer than two stretches.
  double stretch_variance = 0;
};

/// Latency percentiles that each rig records, and their names.
inline constexpr std::array<double, 8> kPercentiles = {25, 50, 75, 90, 95, 99, 99.9, 99.99};
inline constexpr std::array<std::string_view, 8> kPercentileNames = {
    "p25", "p50", "p75", "p90", "p95", "p99", "p99_9", "p99_99"};
inline constexpr std::size_t kP50 = 1, kP99 = 5;  ///< indexes of these two

/// A row of records.csv: one contender in one rig. Sums are over the slices that count, and for the
/// baseline over those of all its instances.
struct RigRecord {
  Cell cell;  ///< the load; `backend` is the contender's name
  Placement placement = Placement::apart;
  std::uint64_t rig = 0;    ///< of the load, from 0
  std::uint64_t look = 0;   ///< index, from 0, of the look at the end of this rig or of a later one
  double build_s = 0;       ///< until the rig was ready
  double seconds = 0;       ///< duration of the rig, building and ending included
  double stolen_share = 0;  ///< 0 to 1, of the processors' time meanwhile, taken by the host
  double others_share = 0;  ///< 0 to 1, and by other programs
  std::string baseline;
  /// Comparison with the baseline. `blocks` is 0 for the baseline itself, after a failure, and for
  /// metrics that the load does not compare.
  ByMetric<RigSummary> summaries;
  std::uint64_t slices = 0;
  std::uint64_t broken = 0;  ///< slices that do not count; 1 if it did not start
  std::string reason;        ///< of the first of them; one line
  std::uint64_t echoes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t cpu_ns = 0;
  std::array<std::uint64_t, kCallNames.size()> calls{};
  std::array<std::uint64_t, kCallNames.size()> call_ns{};  ///< zero unless calls are timed
  std::uint64_t clock_ns = 0;
  std::uint64_t events = 0;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t client_cpu_ns = 0;
  std::uint64_t opened = 0;  ///< these three as in SliceReply
  std::uint64_t unsent = 0;
  std::uint64_t delayed = 0;
  double fairness = 0;  ///< mean of Jain's index over slices; 0: not known
  /// Percentiles of the timed messages of all slices; 0 if none was timed: SliceTimes.
  std::array<std::uint64_t, kPercentiles.size()> latency_ns{};
  std::uint64_t first_echo_ns_p50 = 0, first_echo_ns_p99 = 0;
  std::uint64_t resident_bytes = 0;  ///< of the server, with all connections open
  std::uint64_t grown_bytes = 0;   ///< growth of resident_bytes since before the connections opened
  std::uint64_t kernel_bytes = 0;  ///< growth of kernel memory; 0: others grew it too
  /// Events and wait calls in a window of 0.1 s, of the first rig only. A slice begins with a burst
  /// of all connections, which hardly matters in a window.
  std::uint64_t window_events = 0;
  std::uint64_t window_waits = 0;

  [[nodiscard]] bool is_baseline() const { return cell.backend == baseline; }
  [[nodiscard]] std::uint64_t all_calls() const;
  [[nodiscard]] std::uint64_t p50() const { return latency_ns[kP50]; }
  [[nodiscard]] std::uint64_t p99() const { return latency_ns[kP99]; }
};

/// Returns whether a record belongs to a load; any contender's does.
bool is_of(const RigRecord& record, const PlannedLoad& load);

std::vector<std::string> record_header();
std::vector<std::string> record_fields(const RigRecord& record);

/// Replaces `folder`/records.csv atomically. Throws Failure (unavailable).
void write_records(const std::filesystem::path& folder, std::span<const RigRecord> records);

/// Throws Failure (usage), with file and line, for a missing or cut-off file, another schema, a
/// field that is not a number, and a contender that a rig has twice.
std::vector<RigRecord> read_records(const std::filesystem::path& folder);
/// Parses the text of such a file; error messages call it `origin`.
std::vector<RigRecord> parse_records(std::string_view text, const std::string& origin);

}  // namespace muxlab
