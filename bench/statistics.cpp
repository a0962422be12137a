#include "bench/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace muxlab {
namespace {

/// The regularised incomplete beta function, by the continued fraction that Lentz' method evaluates
/// from the front; for x below (a + 1) / (a + b + 2), where that converges quickly.
double beta_fraction(double x, double a, double b) {
  constexpr double kTiny = 1e-300;
  constexpr double kClose = 1e-14;
  const auto away_from_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (double m = 1; m < 10'000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < kClose) break;
  }
  const double factor = std::exp(a * std::log(x) + b * std::log1p(-x) + std::lgamma(a + b) -
                                 std::lgamma(a) - std::lgamma(b));
  return factor * fraction / a;
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  return x < (a + 1) / (a + b + 2) ? beta_fraction(x, a, b) : 1 - beta_fraction(1 - x, b, a);
}

}  // namespace

double two_sided_p(double t, double degrees) {
  return incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

double t_exceeded_by(double p, double degrees) {
  double low = 0;
  double high = 1e6;
  for (int i = 0; i < 64; ++i) {
    const double middle = (low + high) / 2;
    (two_sided_p(middle, degrees) > p ? low : high) = middle;
  }
  return high;
}

std::optional<Interval> median_interval(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  // The median is below the k-th value with the probability that fewer than k of them are below it.
  double below = 0;
  double binomial = std::pow(0.5, count);
  std::size_t k = 0;
  for (; k < values.size() && below + binomial <= kSignificant / 2; ++k) {
    below += binomial;
    binomial *= (count - static_cast<double>(k)) / static_cast<double>(k + 1);
  }
  if (k == 0) return std::nullopt;
  return Interval{values[k - 1], values[values.size() - k]};
}

std::optional<PairedRatio> paired_ratio(std::span<const std::pair<double, double>> values) {
  std::vector<double> logs;
  for (const auto& [first, second] : values) {
    if (first > 0 && second > 0) logs.push_back(std::log(first / second));
  }
  const auto count = static_cast<double>(logs.size());
  if (logs.size() < 2) return std::nullopt;
  const double mean = std::accumulate(logs.begin(), logs.end(), 0.0) / count;
  double squares = 0;
  for (const double log : logs) squares += (log - mean) * (log - mean);
  const double error = std::sqrt(squares / (count - 1) / count);
  if (!(error > 0)) return std::nullopt;
  const double reach = t_exceeded_by(kSignificant, count - 1) * error;
  return PairedRatio{.pairs = logs.size(),
                     .ratio = std::exp(mean),
                     .interval = {std::exp(mean - reach), std::exp(mean + reach)},
                     .p = two_sided_p(mean / error, count - 1)};
}

std::vector<double> corrected_for_many(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return p_values[i]; });
  std::vector<double> corrected(p_values.size());
  double least = 0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const auto others = static_cast<double>(order.size() - place);
    least = std::max(least, std::min(1.0, others * p_values[order[place]]));
    corrected[order[place]] = least;
  }
  return corrected;
}

std::optional<Spread> spread_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const bool odd = values.size() % 2 == 1;
  const double median = odd ? values[half] : (values[half - 1] + values[half]) / 2;
  return Spread{median, values.front(), values.back(), median_interval(values)};
}

}  // namespace muxlab
