#pragma once

#include "bench/campaign/load_run.hpp"
#include "bench/campaign/sliced_plan.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

/// Measures every load of `plan`, or the missing rigs of a resumed folder. Writes machine.json at
/// the start, records.csv and slices.csv after each rig, and a Report at the end. Prints the answer
/// to stdout, as one JSON object if `as_json`, and everything else to stderr; drops text that
/// stderr does not take. Servers and loads run this program, even if its file is replaced or
/// removed meanwhile.
///
/// SIGINT and SIGTERM end it at once: it drops the current rig and reports the others, without
/// pictures. While pictures are drawn, the signals end only the drawing, because the campaign is
/// complete by then. Returns untrusted for broken slices, failed contenders, a requested precision
/// that was not reached, and pictures that cannot be drawn. Throws Failure when the folder cannot
/// be written, or when another process writes into it.
ExitCode run_sliced_campaign(const SlicedPlan& plan, bool as_json);

/// Reports the progress of a campaign, the time left at most, and the ratios so far. On a terminal
/// it redraws one line, narrower than `columns`; elsewhere it writes a line every 10 s.
class SlicedProgress {
 public:
  /// `write` never throws.
  using Write = void (*)(std::string_view text);
  SlicedProgress(const SlicedPlan& plan, Write write, bool terminal, std::size_t columns);
  SlicedProgress(const SlicedProgress&) = delete;
  SlicedProgress& operator=(const SlicedProgress&) = delete;
  ~SlicedProgress();  ///< clears the line

  /// Prints if a line is due. `left_s` is the time left of all loads, at most.
  void show(const LoadProgress& progress, double left_s);

 private:
  const SlicedPlan& plan_;
  Write write_;
  bool terminal_;
  std::size_t columns_;
  std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now();
};

/// The exclusive right to write into a folder of results: flock(2) on a file in it that holds the
/// process ID. The kernel releases it when the process ends, however it ends.
class FolderLock {
 public:
  /// Throws Failure (unavailable), with the holder's process ID, when another process has the lock.
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(FolderLock&&) = default;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();  ///< removes the file

 private:
  UniqueFd folder_;
  UniqueFd file_;
};

/// Creates `folder` and its parents; `fill` writes its first files. A program that is killed
/// meanwhile leaves no `folder` or a complete one: it is filled under a temporary name next to it
/// and then renamed. An empty folder that cannot be replaced, such as the root of a file system, is
/// filled in place.
///
/// Throws Failure: usage when the folder is not empty, because a campaign never mixes with or
/// overwrites another; unavailable when it cannot be written.
FolderLock create_result_folder(const std::filesystem::path& folder,
                                const std::function<void(const std::filesystem::path&)>& fill);

/// Appends the slices of one rig to `folder`/slices.csv; creates it if needed. No verdict needs
/// this file. Throws Failure (unavailable).
void append_slices(const std::filesystem::path& folder, std::size_t load, std::uint64_t rig,
                   std::span<const Contender> contenders, std::span<const Slice> slices);

/// Truncates slices.csv before the first slice of a rig without a record, such as an unfinished
/// rig; these slices are the last ones. `rigs_of_load` is the number of recorded rigs of each load.
/// Reads line by line, because the file may be large. Throws Failure (unavailable).
void drop_unrecorded_slices(const std::filesystem::path& folder,
                            std::span<const std::uint64_t> rigs_of_load);

}  // namespace muxlab
