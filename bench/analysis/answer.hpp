#pragma once

#include <limits>

#include "bench/analysis/verdict.hpp"

namespace muxlab {

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

inline constexpr double kMostOfBursts = 1.2;

/// A contender against the baseline at one load.
struct Compared {
  Estimate estimate;
  Finding finding;
  std::size_t look = 0;      ///< index of the one that the interval is of
  bool is_enough = false;    ///< enough data for a verdict; else unclear, whatever the interval
  double ratio_of_sums = 1;  ///< untrimmed: all CPU time over all echoes, of both
  /// Returns whether rare, expensive slices put the untrimmed ratio outside the interval.
  [[nodiscard]] bool has_heavy_tail() const {
    return ratio_of_sums < finding.low || ratio_of_sums > finding.high;
  }
};

enum class Status : std::uint8_t { measured, unavailable, failed };

/// What limited the rate of echoes.
enum class Bound : std::uint8_t {
  unknown,  ///< both sides share a processor, or there were no echoes
  server,   ///< its processors were busy: its capacity was measured
  client,   ///< its processors were busy: the rate is the client's limit
  both,     ///< one side was busy, the other nearly: the server may be able to do a little more
  waiting,  ///< neither: more messages in flight would give more echoes
  offered,  ///< neither: the load offered no more messages
};
std::string_view name_of(Bound bound);

/// One contender at one load.
struct AtLoad {
  PlannedContender planned;
  Status status = Status::measured;
  std::string reason;  ///< why it was not measured, or why slices are broken; may be empty
  std::uint64_t broken = 0;
  /// By metric, in nanoseconds: the baseline's times the ratio, or its own if it is not compared.
  ByMetric<double> ns;
  double syscalls_per_echo = kNotMeasured;
  std::array<double, kCallNames.size()> calls_per_echo{};  ///< by kind
  double events_per_wait = kNotMeasured;                   ///< in slices
  double window_events_per_wait = kNotMeasured;            ///< in a window of a tenth of a second
  /// Returns whether the burst at the start of a slice matters: waits in slices return many more or
  /// fewer events than waits in windows.
  [[nodiscard]] bool is_bursty() const {
    return events_per_wait > kMostOfBursts * window_events_per_wait ||
           window_events_per_wait > kMostOfBursts * events_per_wait;
  }
  double echoes_per_s = kNotMeasured;  ///< in slices; NaN where both sides share a processor
  Bound bound = Bound::unknown;
  std::uint64_t unsent = 0;   ///< messages due but not sent: too many were in flight
  std::uint64_t delayed = 0;  ///< new connections that had to wait for a port
  std::array<double, kPercentiles.size()> latency_ns;  ///< medians of the rigs; NaN: not timed
  /// Empty for the baseline, and for metrics that were not measured or that the load does not
  /// compare. echo_time only where the server was the bound, the baseline's too.
  ByMetric<std::optional<Compared>> compared;
};

struct LoadAnswer {
  PlannedLoad load;
  Inflation inflation;  ///< of CPU time
  std::uint64_t rigs = 0;
  double stolen_share = 0;
  double others_share = 0;
  std::vector<AtLoad> contenders;  ///< in the order of the plan

  [[nodiscard]] bool is_measured() const { return rigs > 0; }
  /// Returns whether any contender is compared by `metric`.
  [[nodiscard]] bool has(Metric metric) const {
    return std::ranges::any_of(
        contenders, [metric](const AtLoad& one) { return one.compared[metric].has_value(); });
  }
};

/// A contender's CPU time over all busy loads.
struct Pooled {
  PlannedContender planned;
  Finding finding;
};

/// All results that follow from the records of a campaign.
struct Answer {
  SlicedPlan plan;
  std::vector<LoadAnswer> loads;
  std::vector<Pooled> pooled;  ///< contenders with all busy loads, if there are several loads

  [[nodiscard]] std::uint64_t broken_slices() const;
  [[nodiscard]] bool has_failed() const;  ///< a contender, or some of its slices
  /// Count the comparisons that the user asked for, without self-checks and echo_time, and those of
  /// them that have a verdict.
  [[nodiscard]] std::size_t asked() const;
  [[nodiscard]] std::size_t decided() const;
  /// Returns whether all these intervals are as narrow as the plan's precision, if it has one.
  [[nodiscard]] bool is_precise() const;
};

/// Computes the answer. Requires `records` in the order of measuring.
Answer answer_of(const SlicedPlan& plan, std::span<const RigRecord> records);

/// Returns whether a contender needs no more data at a load: each of its comparisons has a verdict
/// or, with a precision, is that narrow. Ignores echo_time.
bool is_settled(const AtLoad& one, const PlannedLoad& load, const std::optional<double>& precision);

/// Pools the self-check over busy loads, or over all loads if none is busy. Returns nothing if it
/// was not measured.
std::optional<Finding> self_check(const Answer& answer, Role role);

}  // namespace muxlab
