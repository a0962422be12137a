#pragma once

#include "bench/load.hpp"

namespace muxlab {

/// Throws Failure (usage) that names the first option that makes no sense, and why.
void check_options(const LoadOptions& options);

/// Raises this process's soft limit of descriptors to the hard one. Throws Failure (unavailable)
/// when the load needs more than that.
void reserve_descriptors(const LoadOptions& options);

}  // namespace muxlab
