#pragma once

#include <optional>
#include <vector>

namespace muxlab {

/// The middle of repeated measurements and how far they lie apart.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

/// The spread of `values`, where NaN stands for "not measured" and is left out; nothing when no
/// value is left. The median of an even number of values is the mean of the two in the middle.
/// No value is ever dropped for being far from the others.
std::optional<Spread> spread_of(std::vector<double> values);

/// The probability that Student's t with `degrees` of freedom is further from 0 than `t`.
double two_sided_p(double t, double degrees);
/// The inverse: the t that is exceeded, on both sides together, with a probability of `p`.
double t_exceeded_by(double p, double degrees);

}  // namespace muxlab
