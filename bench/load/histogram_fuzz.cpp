#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "bench/load/histogram.hpp"

namespace muxlab {
namespace {

/// Compares a histogram with the sorted list of its values.
class Values {
 public:
  void record(std::uint64_t value) {
    (value <= Histogram::kHighest ? values_ : dropped_).push_back(value);
  }

  void compare_with(const Histogram& histogram, FuzzedDataProvider& script) {
    assert(histogram.count() == values_.size());
    assert(histogram.dropped() == dropped_.size());
    if (values_.empty()) return;
    std::ranges::sort(values_);
    // Only one per input, because each reads all buckets, which takes long.
    switch (script.ConsumeIntegralInRange(0, 3)) {
      case 0:
        return compare_counts(histogram.counts());
      case 1:
        return compare_bounds(histogram);
      case 2:
        return compare_means(histogram);
      default:
        return compare_percentiles(histogram, script);
    }
  }

 private:
  /// Expects a relative error below 1/1000, and none below 1000.
  static bool is_near(std::uint64_t reported, std::uint64_t value) {
    const std::uint64_t error = reported > value ? reported - value : value - reported;
    return error == 0 || error * 1000 < value;
  }

  void compare_counts(std::span<const std::uint64_t> counts) const {
    const auto count = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    assert(count == values_.size());
    for (const std::uint64_t value : values_) assert(counts[Histogram::index_of(value)] > 0);
  }

  void compare_bounds(const Histogram& histogram) const {
    assert(is_near(histogram.min(), values_.front()) && histogram.min() <= values_.front());
    assert(is_near(histogram.max(), values_.back()) && histogram.max() >= values_.back());
    assert(histogram.value_at_percentile(0) == histogram.min());
    assert(histogram.value_at_percentile(100) == histogram.max());
  }

  void compare_means(const Histogram& histogram) const {
    const auto count = static_cast<double>(values_.size());
    const double mean = std::accumulate(values_.begin(), values_.end(), 0.0) / count;
    assert(std::abs(histogram.mean() - mean) <= mean / 1000);
  }

  void compare_percentiles(const Histogram& histogram, FuzzedDataProvider& script) const {
    std::uint64_t before = 0;
    double percentile = 0;
    for (int i = 0; i < 3; ++i) {
      percentile += script.ConsumeIntegralInRange(0, 5000) / 100.0;
      const std::uint64_t reported = histogram.value_at_percentile(percentile);
      assert(reported >= before && "percentiles that fall");
      before = reported;
      const std::uint64_t value = value_at(percentile);
      assert(is_near(reported, value));
      assert(percentile > 0 ? reported >= value : reported <= value);
    }
  }

  /// Returns the value at that percentile of the sorted values, rounded to the nearest.
  [[nodiscard]] std::uint64_t value_at(double percentile) const {
    const double share = std::clamp(percentile, 0.0, 100.0) / 100;
    const double rank = std::floor(share * static_cast<double>(values_.size()) + 0.5);
    return values_[std::max<std::size_t>(1, static_cast<std::size_t>(rank)) - 1];
  }

  std::vector<std::uint64_t> values_;
  std::vector<std::uint64_t> dropped_;
};

/// Returns a value of any magnitude; half of them are next to a power of two, where buckets change.
std::uint64_t next_value(FuzzedDataProvider& script) {
  const auto bits = script.ConsumeIntegralInRange<unsigned>(0, 63);
  const std::uint64_t power = std::uint64_t{1} << bits;
  if (script.ConsumeBool()) return script.ConsumeIntegralInRange(power - 1, power + 1);
  return script.ConsumeIntegralInRange(power / 2, power);
}

void record_next(Histogram& histogram, Values& values, FuzzedDataProvider& script) {
  const std::uint64_t value = next_value(script);
  histogram.record(value);
  values.record(value);
}

}  // namespace
}  // namespace muxlab

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kForTheComparison = 7;
  FuzzedDataProvider script(data, size);
  muxlab::Histogram parts[2];
  muxlab::Values values;
  while (script.remaining_bytes() > kForTheComparison) {
    muxlab::record_next(parts[script.ConsumeBool() ? 1 : 0], values, script);
  }
  parts[0].merge(parts[1]);
  values.compare_with(parts[0], script);
  return 0;
}
