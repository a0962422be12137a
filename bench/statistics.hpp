#pragma once

#include <optional>
#include <vector>

namespace muxlab {

/// The middle of repeated trials and how far they lie apart.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

/// The spread of `values`, where NaN stands for "not measured" and is left out; nothing when no
/// value is left. The median of an even number of values is the mean of the two in the middle.
/// No value is ever dropped for being far from the others.
std::optional<Spread> spread_of(std::vector<double> values);

}  // namespace muxlab
