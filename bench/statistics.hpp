#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace muxlab {

/// What chance may do once in so many cases is no finding.
inline constexpr double kSignificant = 0.05;
/// The fewest pairs that a verdict may stand on.
inline constexpr std::size_t kFewestPairs = 7;

/// Where something is, with a confidence of 95 %.
struct Interval {
  double low = 0;
  double high = 0;
};

/// The middle of repeated trials and how far they lie apart.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
  std::optional<Interval> interval;  ///< of the median: median_interval()
};

/// The spread of `values`, where NaN stands for "not measured" and is left out; nothing when no
/// value is left. The median of an even number of values is the mean of the two in the middle.
/// No value is ever dropped for being far from the others.
std::optional<Spread> spread_of(std::vector<double> values);

/// Of the median of whatever `values` were drawn from, whatever its shape: between those two of
/// them that it lies outside of in at most one case in twenty, by the binomial distribution. A
/// bootstrap of so few values would be too narrow. NaN is left out; nothing for fewer than six
/// values, of which not even the least and the greatest are far enough apart.
std::optional<Interval> median_interval(std::vector<double> values);

/// How two things that were measured in pairs, under the same conditions, compare.
struct PairedRatio {
  std::size_t pairs = 0;
  double ratio = 1;   ///< geometric mean of first / second
  Interval interval;  ///< of that
  double p = 1;       ///< how often chance alone would put it that far from 1
};

/// By Student's t-test of the logarithms: a mean of ratios would be too high, and a pair shares
/// what the machine did meanwhile. Pairs with a value that is NaN or not above 0 are left out;
/// nothing for fewer than two others, or when they do not differ in their ratios.
std::optional<PairedRatio> paired_ratio(std::span<const std::pair<double, double>> values);

/// `p_values` of so many tests, each as it would have to be for one alone: with Holm's correction
/// the chance that any of those below a bound is there by chance is at most that bound.
std::vector<double> corrected_for_many(std::span<const double> p_values);

/// The probability that Student's t with `degrees` of freedom is further from 0 than `t`.
double two_sided_p(double t, double degrees);
/// The inverse: the t that is exceeded, on both sides together, with a probability of `p`.
double t_exceeded_by(double p, double degrees);

}  // namespace muxlab
