#pragma once

#include <cstdint>
#include <vector>

namespace muxlab {

/// In which order each round runs its cells: `rounds` permutations of 0 .. cells - 1.
///
/// Running all trials of one backend in a row would let a slow spell of the machine pass for a
/// property of that backend, so each round is shuffled anew. The same seed gives the same order
/// with every compiler and standard library.
std::vector<std::vector<std::size_t>> draw_order(std::size_t cells, std::uint64_t rounds,
                                                 std::uint64_t seed);

}  // namespace muxlab
