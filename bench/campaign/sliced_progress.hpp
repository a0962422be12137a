#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "bench/campaign/load_run.hpp"

namespace muxlab {

/// Tells on stderr where a campaign is, how long it may still take, and the ratios so far: a line
/// that is redrawn on a terminal, at most `columns` wide, and a line every 10 s elsewhere.
class SlicedProgress {
 public:
  /// `write` never throws.
  using Write = void (*)(std::string_view text);
  SlicedProgress(const SlicedPlan& plan, Write write, bool terminal, std::size_t columns);
  SlicedProgress(const SlicedProgress&) = delete;
  SlicedProgress& operator=(const SlicedProgress&) = delete;
  SlicedProgress(SlicedProgress&&) = delete;
  SlicedProgress& operator=(SlicedProgress&&) = delete;
  ~SlicedProgress();  ///< clears the line

  /// Prints when it is time to. `left_s`: of all loads, at most.
  void tell(const LoadProgress& progress, double left_s);

 private:
  const SlicedPlan& plan_;
  Write write_;
  bool terminal_;
  std::size_t columns_;
  std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now();
};

/// The width of the terminal that stderr is: COLUMNS, or what it says itself, or 80.
std::size_t stderr_columns();

}  // namespace muxlab
