#pragma once

#include "bench/data/records.hpp"

/// How slices become verdicts. These rules were fixed before the data that they judge was measured.
/// No slice is dropped because of its value.
///
/// 1. Estimate. A block gives one log ratio for each comparison: the log cost of the contender's
///    slice, minus the mean log cost of the baseline's slices in that block, one of each instance.
///    The estimate is the 10 % trimmed mean of the blocks of each rig, weighted by the number of
///    blocks.
/// 2. Standard error: from the winsorised variance of the blocks, times the square root of f. f is
///    the variance of the means of rigs, or of stretches of a second, relative to that of
///    independent blocks. It is one number per load, and at least 1. The interval uses Student's t,
///    with the degrees of freedom of f or of the variance, whichever are fewer.
/// 3. Family. All intervals of one metric that a campaign plans hold together with 95 %, pooled
///    ones too: each gets an equal share of the error (Bonferroni).
/// 4. Looks. A load is judged after 1/4, 1/2 and all of its time, at the end of a rig. These looks
///    may spend 10, 20 and 70 % of a comparison's share of the error. The printed interval is that
///    of the last look that the comparison took part in.
/// 5. Verdict. Inside the margin: same, even if 1 is excluded; else below 1: cheaper; else above 1:
///    more expensive; else unclear.
/// 6. Pooled over all busy loads: the mean of the log ratios, each load with the same weight. The
///    answer depends on the load when two loads differ by more than 10 %, or when a load's interval
///    excludes the mean and its verdict is another one.
namespace muxlab {

inline constexpr double kTrimmedShare = 0.1;  ///< at either end
inline constexpr double kFamilyError = 0.05;
inline constexpr double kStretch_s = 1;
inline constexpr double kPooledSpread = 1.1;  ///< the answer depends on loads that differ by more
inline constexpr std::uint64_t kFewestBlocks = 30;
inline constexpr std::uint64_t kFewestRigs = 4;
inline constexpr std::array kLookErrors = {0.1, 0.2, 0.7};  ///< shares of the error, by look

enum class Verdict : std::uint8_t { same, cheaper, more_expensive, unclear, depends };

/// Summarises the `log_ratios` of consecutive blocks that began at `at_s` seconds. Requires both to
/// have the same size.
RigSummary summarize(std::span<const double> log_ratios, std::span<const double> at_s);

/// The factor f of the variance against independent blocks, and its degrees of freedom.
struct Inflation {
  double f = 1;
  double degrees = 1;  ///< of freedom
  std::uint64_t rigs = 0;
};

/// Computes the inflation of one load; `comparisons` has the rigs of each. The contenders of a
/// block share the slices of the baseline's `instances`, so their estimates of f are not
/// independent.
Inflation inflation_of(std::span<const std::vector<RigSummary>> comparisons,
                       std::uint64_t instances);

/// Returns `own`, or the largest of `own` and `others` for fewer rigs than kFewestRigs.
Inflation inflation_with(const Inflation& own, std::span<const Inflation> others);

/// A log ratio with its standard error.
struct Estimate {
  double log_ratio = 0;
  double standard_error = 0;
  double degrees = 1;
  std::uint64_t blocks = 0;
  std::uint64_t rigs = 0;
};

Estimate estimate_of(std::span<const RigSummary> rigs, const Inflation& inflation);

/// Parameters of the rule, the same for all comparisons of a campaign and fixed before it begins.
struct Rule {
  double same_within = 0.05;  ///< the margin is from 1 / (1 + this) to 1 + this
  std::size_t family = 1;     ///< comparisons of the metric, pooled ones included
};

struct Finding {
  double ratio = 1;
  double low = 0;
  double high = 0;
  Verdict verdict = Verdict::unclear;

  /// Returns the factor from the ratio to the upper end, less 1: 0.03 is ± 3 %.
  [[nodiscard]] double half_width() const { return high / ratio - 1; }
  /// Returns whether the interval ends within a factor of ten. With few blocks it may not.
  [[nodiscard]] bool is_known() const { return high < 10 * ratio; }
};

/// Returns the verdict of one interval; never `depends`.
Verdict verdict_of(const Finding& finding, double same_within);

/// Computes ratio, interval and verdict. `look` is the index of the comparison's last look.
Finding judge(const Estimate& estimate, std::size_t look, const Rule& rule);

/// Returns whether the data is enough for a verdict. Otherwise the verdict is unclear, whatever the
/// interval. At the last look two rigs are enough, because some loads have no time for four.
bool is_enough(const Estimate& estimate, std::size_t look);

/// Pools all busy loads of one backend. `cells` are their findings in the order of `estimates`.
/// Returns nothing for fewer than two.
std::optional<Finding> pool(std::span<const Estimate> estimates, std::span<const Finding> cells,
                            const Rule& rule);

}  // namespace muxlab
