#pragma once

#include <optional>
#include <vector>

namespace muxlab {

/// The median and the range of repeated measurements.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

/// Returns the spread of `values`; nullopt if none was measured. NaN means "not measured" and is
/// left out. The median of an even number of values is the mean of the middle two. Outliers stay.
std::optional<Spread> spread_of(std::vector<double> values);

/// Returns the probability that Student's t with `degrees` of freedom is further from 0 than `t`.
double two_sided_p(double t, double degrees);
/// Returns the inverse: the t, at most 1e6, that is exceeded on both sides together with
/// probability `p`.
double t_exceeded_by(double p, double degrees);

}  // namespace muxlab
