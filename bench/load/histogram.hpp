#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace muxlab {

/// Counts values with a relative error below 1/1000, at the price of a few nanoseconds each: a high
/// dynamic range histogram for 1 to 60,000,000,000 (a minute in nanoseconds) and 3 significant
/// figures.
///
/// Each value below 2048 has its own bucket. Each doubling above has 1024 buckets, twice as wide as
/// those of the doubling before. Results equal those of HdrHistogram_c bit for bit: percentiles and
/// max() return the highest value of a bucket, min() the lowest; mean() uses bucket middles.
///
/// Thread: not synchronised; use one histogram per thread and merge them at the end. Do not average
/// percentiles of several histograms; merge the histograms.
class Histogram {
 public:
  /// Number of buckets; the last one ends above 60,000,000,000.
  static constexpr std::size_t kBuckets = 27'648;
  /// The highest value that has a bucket.
  static constexpr std::uint64_t kHighest = (std::uint64_t{1} << 36) - 1;

  Histogram() : counts_(kBuckets) {}

  /// Counts one value; one above kHighest only increments dropped().
  void record(std::uint64_t value) {
    const std::size_t index = index_of(value);
    if (index >= kBuckets) {
      ++dropped_;
      return;
    }
    ++counts_[index];
    ++count_;
  }

  /// Counts `count` more values in bucket `index`. Requires index < kBuckets.
  void add(std::size_t index, std::uint64_t count) {
    counts_[index] += count;
    count_ += count;
  }
  /// Removes all values.
  void clear();

  /// Adds everything that `other` counted, dropped values included.
  void merge(const Histogram& other);

  /// Return the number of values counted, and of values above kHighest.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  /// Return 0 for an empty histogram.
  [[nodiscard]] std::uint64_t min() const;
  [[nodiscard]] std::uint64_t max() const;
  [[nodiscard]] double mean() const;

  /// Returns the highest value of the first bucket up to which `percentile` % (0 to 100) of the
  /// values lie; for percentile 0 its lowest value. Returns 0 for an empty histogram. Clamps
  /// `percentile` to 0 to 100.
  [[nodiscard]] std::uint64_t value_at_percentile(double percentile) const;

  /// Returns the count of each bucket, to write a histogram out without loss.
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return counts_; }

  /// Returns the bucket of `value`; kBuckets or more if `value` is above kHighest.
  [[nodiscard]] static constexpr std::size_t index_of(std::uint64_t value) {
    const auto doubling =
        static_cast<unsigned>(std::bit_width(value | (2 * kHalf - 1))) - (kHalfBits + 1);
    return (static_cast<std::size_t>(doubling) << kHalfBits) + (value >> doubling);
  }
  /// Return the range of a bucket: from lowest_value to lowest_value + width - 1.
  [[nodiscard]] static constexpr std::uint64_t lowest_value(std::size_t index) {
    return (index - (std::uint64_t{doubling_of(index)} << kHalfBits)) << doubling_of(index);
  }
  [[nodiscard]] static constexpr std::uint64_t width(std::size_t index) {
    return std::uint64_t{1} << doubling_of(index);
  }

 private:
  static constexpr unsigned kHalfBits = 10;
  static constexpr std::uint64_t kHalf = 1 << kHalfBits;

  static constexpr unsigned doubling_of(std::size_t index) {
    return index < kHalf ? 0 : static_cast<unsigned>(index >> kHalfBits) - 1;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace muxlab
