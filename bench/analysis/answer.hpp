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
  bool is_enough = false;    ///< data for a verdict: else it is unclear, whatever the interval
  double ratio_of_sums = 1;  ///< untrimmed: all CPU time over all echoes, of both
  /// Rare slices cost so much more that the untrimmed ratio is outside the interval.
  [[nodiscard]] bool has_heavy_tail() const {
    return ratio_of_sums < finding.low || ratio_of_sums > finding.high;
  }
};

enum class Status : std::uint8_t { measured, unavailable, failed };

/// Why there were not twice as many echoes.
enum class Bound : std::uint8_t {
  unknown,  ///< both sides share a processor, or there were no echoes
  server,   ///< its processors were busy: its capacity was measured
  client,   ///< its processors were: the rate is its own
  both,     ///< there may be a little more in the server than was seen
  waiting,  ///< neither: more messages in flight would be more echoes
  offered,  ///< neither: no more were offered
};
std::string_view name_of(Bound bound);

/// One contender at one load.
struct AtLoad {
  PlannedContender planned;
  Status status = Status::measured;
  std::string reason;  ///< why it was not measured, or why slices are broken; may be empty
  std::uint64_t broken = 0;
  /// By metric, in nanoseconds: the baseline's times the ratio; where nothing is compared its own.
  ByMetric<double> ns;
  double syscalls_per_echo = kNotMeasured;
  std::array<double, kCallNames.size()> calls_per_echo{};  ///< by kind
  double events_per_wait = kNotMeasured;                   ///< in slices
  double window_events_per_wait = kNotMeasured;            ///< in a window of a tenth of a second
  /// The bursts that slices open with matter: a wait brings so many more or fewer events than in a
  /// window.
  [[nodiscard]] bool is_bursty() const {
    return events_per_wait > kMostOfBursts * window_events_per_wait ||
           window_events_per_wait > kMostOfBursts * events_per_wait;
  }
  double echoes_per_s = kNotMeasured;  ///< of the slices; not where both sides share a processor
  Bound bound = Bound::unknown;
  std::uint64_t unsent = 0;   ///< messages that were due, but too many were in flight
  std::uint64_t delayed = 0;  ///< new connections that had to wait for a port
  std::array<double, kPercentiles.size()> latency_ns;  ///< medians of the rigs; NaN: not timed
  /// Nothing for the baseline, for what was not measured, and for what the load does not compare;
  /// echo_time only where the server was the bound, of the baseline too.
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
  /// Whether a contender is compared by `metric`.
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

/// Everything that the records of a campaign say.
struct Answer {
  SlicedPlan plan;
  std::vector<LoadAnswer> loads;
  std::vector<Pooled> pooled;  ///< of contenders that have all busy loads, if there are several

  [[nodiscard]] std::uint64_t broken_slices() const;
  [[nodiscard]] bool has_failed() const;  ///< a contender, or some of its slices
  /// Comparisons that the user asked for, self-checks and echo_time left out, and how many have a
  /// verdict.
  [[nodiscard]] std::size_t asked() const;
  [[nodiscard]] std::size_t decided() const;
  /// Whether all intervals asked for are as narrow as the plan's precision, if it has one.
  [[nodiscard]] bool is_precise() const;
};

/// `records` are in the order in which they were measured.
Answer answer_of(const SlicedPlan& plan, std::span<const RigRecord> records);

/// Whether a contender needs no more data at a load: each of its comparisons has a verdict or, with
/// a precision, is that narrow. Nothing waits for echo_time.
bool is_settled(const AtLoad& one, const PlannedLoad& load, const std::optional<double>& precision);

/// The self-check pooled over busy loads; over all loads where none is busy. Nothing where it was
/// not measured.
std::optional<Finding> self_check(const Answer& answer, Role role);

}  // namespace muxlab
