#include "bench/compare_unpaired.hpp"

#include <cmath>
#include <numeric>

namespace muxlab {
namespace {

struct LogSample {
  std::size_t count = 0;
  double mean = 0;
  double error_squared = 0;  ///< of the mean
};

LogSample log_sample(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) {
    if (value > 0) logs.push_back(std::log(value));
  }
  LogSample sample{.count = logs.size()};
  if (sample.count < 2) return sample;
  const auto count = static_cast<double>(sample.count);
  sample.mean = std::accumulate(logs.begin(), logs.end(), 0.0) / count;
  double squares = 0;
  for (const double log : logs) squares += (log - sample.mean) * (log - sample.mean);
  sample.error_squared = squares / (count - 1) / count;
  return sample;
}

/// Welch and Satterthwaite's degrees of freedom of the difference of two means.
double degrees_of(const LogSample& first, const LogSample& second) {
  const auto share = [](const LogSample& sample) {
    return sample.error_squared * sample.error_squared / static_cast<double>(sample.count - 1);
  };
  const double sum = first.error_squared + second.error_squared;
  return sum * sum / (share(first) + share(second));
}

}  // namespace

std::optional<UnpairedRatio> unpaired_ratio(const std::vector<double>& before,
                                            const std::vector<double>& after) {
  const LogSample first = log_sample(before);
  const LogSample second = log_sample(after);
  if (first.count < 2 || second.count < 2) return std::nullopt;
  const double difference = second.mean - first.mean;
  UnpairedRatio found{.before_count = first.count,
                      .after_count = second.count,
                      .before = std::exp(first.mean),
                      .after = std::exp(second.mean),
                      .ratio = std::exp(difference),
                      .interval = {std::exp(difference), std::exp(difference)},
                      .p = difference == 0 ? 1.0 : 0.0};
  const double error = std::sqrt(first.error_squared + second.error_squared);
  constexpr double kRounding = 1e-12;  // of the logarithms of values that are all the same
  if (error < kRounding) {
    if (std::abs(difference) < kRounding) found.p = 1;
    return found;
  }
  const double degrees = degrees_of(first, second);
  const double reach = t_exceeded_by(kSignificant, degrees) * error;
  found.interval = {std::exp(difference - reach), std::exp(difference + reach)};
  found.p = two_sided_p(difference / error, degrees);
  return found;
}

}  // namespace muxlab
