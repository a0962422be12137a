#pragma once

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

/// The right to write into a folder of results, which one process has at a time: flock(2) on a file
/// in it, which holds the process's number. It ends with the process, however that ends.
class FolderLock {
 public:
  /// Throws Failure (unavailable) that names the process that has it.
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

/// Makes `folder` and the folders that lead to it, and has `fill` write its first files. A program
/// that is killed meanwhile leaves no `folder`, or a whole one: it is filled under a temporary name
/// beside and then renamed. Where an empty folder is there that cannot be replaced, such as the
/// root of a file system, it is filled in place.
///
/// Throws Failure: usage when it holds anything already, for a campaign never mixes with or
/// overwrites another; unavailable when it cannot be written.
FolderLock create_result_folder(const std::filesystem::path& folder,
                                const std::function<void(const std::filesystem::path&)>& fill);

/// Appends the slices of one rig to `folder`/slices.csv, which this makes if need be. It is working
/// data: no verdict needs it. Throws Failure (unavailable).
void append_slices(const std::filesystem::path& folder, std::size_t load, std::uint64_t rig,
                   std::span<const Contender> contenders, std::span<const Slice> slices);

/// Cuts slices.csv off where the slices begin of a rig that a campaign does not have, as of one
/// that was not finished; they are the last ones. `rigs_of_load` says how many rigs it has of each
/// load. Reads line by line, however large it is. Throws Failure (unavailable).
void drop_unrecorded_slices(const std::filesystem::path& folder,
                            std::span<const std::uint64_t> rigs_of_load);

}  // namespace muxlab
