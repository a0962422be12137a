#pragma once

#include <functional>
#include <span>

#include "backends/parts/unique_fd.hpp"
#include "bench/data/plan.hpp"
#include "bench/load/slice.hpp"

namespace muxlab {

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
