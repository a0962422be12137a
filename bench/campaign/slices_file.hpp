#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "bench/data/plan.hpp"
#include "bench/load/slice.hpp"

namespace muxlab {

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
