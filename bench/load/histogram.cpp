#include "bench/load/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace muxlab {
namespace {

std::uint64_t highest_value(std::size_t index) {
  return Histogram::lowest_value(index) + Histogram::width(index) - 1;
}

std::uint64_t middle_value(std::size_t index) {
  return Histogram::lowest_value(index) + Histogram::width(index) / 2;
}

bool is_used(std::uint64_t count) { return count != 0; }

}  // namespace

void Histogram::clear() {
  if (count_ + dropped_ == 0) return;
  std::ranges::fill(counts_, 0);
  count_ = 0;
  dropped_ = 0;
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ + other.dropped_ == 0) return;
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(),
                 std::plus<>{});
  count_ += other.count_;
  dropped_ += other.dropped_;
}

std::uint64_t Histogram::min() const {
  const auto first = std::find_if(counts_.begin(), counts_.end(), is_used);
  if (first == counts_.end()) return 0;
  return lowest_value(static_cast<std::size_t>(first - counts_.begin()));
}

std::uint64_t Histogram::max() const {
  const auto last = std::find_if(counts_.rbegin(), counts_.rend(), is_used);
  if (last == counts_.rend()) return 0;
  return highest_value(static_cast<std::size_t>(counts_.rend() - last) - 1);
}

double Histogram::mean() const {
  if (count_ == 0) return 0;
  // The sum of a long run does not fit 64 bits; a long double holds every smaller one exactly.
  long double sum = 0;
  for (std::size_t index = 0; index < kBuckets; ++index) {
    sum += static_cast<long double>(counts_[index]) * static_cast<long double>(middle_value(index));
  }
  return static_cast<double>(sum) / static_cast<double>(count_);
}

std::uint64_t Histogram::value_at_percentile(double percentile) const {
  if (count_ == 0) return 0;
  const double share = std::clamp(percentile, 0.0, 100.0) / 100;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::floor(share * static_cast<double>(count_) + 0.5)));
  std::uint64_t seen = 0;
  std::size_t index = 0;
  for (; index < kBuckets - 1; ++index) {
    seen += counts_[index];
    if (seen >= wanted) break;
  }
  return percentile <= 0 ? lowest_value(index) : highest_value(index);
}

}  // namespace muxlab
