#pragma once

#include "bench/data/records.hpp"

/// How slices become verdicts. Everything here was fixed before any data that it judges, and no
/// slice is dropped for what it measured.
///
/// 1. Estimate. A block gives one log ratio for each comparison: the log cost of the contender's
///    slice, minus the mean log cost of the baseline's slices in that block, one of each instance.
///    The estimate is the 10 % trimmed mean of the blocks of each rig, weighted by the number of
///    blocks.
/// 2. Standard error: from the winsorised variance of the blocks, times the square root of f. f is
///    how much further the means of whole rigs, or of stretches of a second, lie apart than those
///    of independent blocks would. It is one number per load, and at least 1. The interval uses
///    Student's t, with the degrees of freedom of f or of the variance, if these are fewer.
/// 3. Family. All intervals of one metric that a campaign plans hold together with 95 %, pooled
///    ones too: each gets an equal share of the error (Bonferroni).
/// 4. Looks. A load is looked at after 1/4, 1/2 and all of its time, at the end of a rig; these
///    looks may spend 10, 20 and 70 % of a comparison's share of the error. The interval that is
///    printed is that of the last look that the comparison took part in.
/// 5. Verdict. Inside the margin: same, even if 1 is excluded; else below 1: cheaper; else above 1:
///    more expensive; else unclear.
/// 6. Pooled over all busy loads: the mean of the log ratios, each load with the same weight. The
///    answer depends on the load when two loads differ by more than 10 %, or when a load's interval
///    excludes the mean and its verdict is another one.
namespace muxlab {

inline constexpr double kTrimmedShare = 0.1;  ///< at either end
inline constexpr double kFamilyError = 0.05;
inline constexpr double kStretch_s = 1;
inline constexpr double kPooledSpread = 1.1;  ///< two loads that differ by more are not one
inline constexpr std::uint64_t kFewestBlocks = 30;
inline constexpr std::uint64_t kFewestRigs = 4;
inline constexpr std::array kLookErrors = {0.1, 0.2, 0.7};  ///< shares of the error, by look

enum class Verdict : std::uint8_t { same, cheaper, more_expensive, unclear, depends };

/// `log_ratios` of consecutive blocks that began at `at_s` seconds; both have the same size.
RigSummary summarize(std::span<const double> log_ratios, std::span<const double> at_s);

/// How much wider than independent blocks would have it, and how well that is known.
struct Inflation {
  double f = 1;
  double degrees = 1;  ///< of freedom
  std::uint64_t rigs = 0;
};

/// Of one load: `comparisons` has the rigs of each. The contenders of a block share the slices of
/// the baseline's `instances`, so that their estimates of f are not independent.
Inflation inflation_of(std::span<const std::vector<RigSummary>> comparisons,
                       std::uint64_t instances);

/// For a load with fewer rigs than kFewestRigs: the largest of its own and those of `others`.
Inflation inflation_with(const Inflation& own, std::span<const Inflation> others);

/// A log ratio and how well it is known.
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

  /// The larger of the factors between the ratio and the two ends, less 1: 0.03 is ± 3 %.
  [[nodiscard]] double half_width() const { return high / ratio - 1; }
  /// The interval says something: it ends within a factor of ten. Few blocks give any factor.
  [[nodiscard]] bool is_known() const { return high < 10 * ratio; }
};

/// Of an interval: never `depends`.
Verdict verdict_of(const Finding& finding, double same_within);

/// `look` is the index of the last one that the comparison took part in.
Finding judge(const Estimate& estimate, std::size_t look, const Rule& rule);

/// Whether the data is enough for a verdict: else it is unclear, whatever the interval. At the last
/// look two rigs are enough, for loads that four do not fit.
bool is_enough(const Estimate& estimate, std::size_t look);

/// All busy loads of one backend in one. `cells` are their findings in the order of `estimates`.
/// Nothing for fewer than two.
std::optional<Finding> pool(std::span<const Estimate> estimates, std::span<const Finding> cells,
                            const Rule& rule);

}  // namespace muxlab
