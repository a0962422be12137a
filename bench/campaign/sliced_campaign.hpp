#pragma once

#include <string_view>

#include "bench/campaign/load_run.hpp"
#include "bench/campaign/sliced_plan.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

/// Measures every load of `plan`, or what a folder that is resumed lacks, and leaves in its folder
/// machine.json from the start, records.csv and slices.csv after each rig, and what a Report makes
/// of them. The answer goes to stdout, as one JSON object if `as_json`, all else to stderr; what
/// stderr does not take is left out. Servers and loads are this very program, also when its file is
/// replaced or removed meanwhile.
///
/// SIGINT and SIGTERM end it at once: the rig under way is dropped, the others are kept and
/// reported, without pictures. While pictures are drawn they end the drawing alone, for the
/// campaign is complete by then. Returns untrusted for broken slices, contenders that failed, a
/// precision that was asked for and not reached, and pictures that cannot be drawn. Throws Failure
/// when the folder cannot be written, or when another process writes into it.
ExitCode run_sliced_campaign(const SlicedPlan& plan, bool as_json);

/// Tells on stderr where a campaign is, how long it may still take, and the ratios so far: a line
/// that is redrawn on a terminal, at most `columns` wide, and a line every 10 s elsewhere.
class SlicedProgress {
 public:
  /// `write` never throws.
  using Write = void (*)(std::string_view text);
  SlicedProgress(const SlicedPlan& plan, Write write, bool terminal, std::size_t columns);
  SlicedProgress(const SlicedProgress&) = delete;
  SlicedProgress& operator=(const SlicedProgress&) = delete;
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

}  // namespace muxlab
