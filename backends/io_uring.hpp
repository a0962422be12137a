#pragma once

#include "backends/backend.hpp"

namespace muxlab {

/// How the backend `io-uring` uses its ring. The defaults are what measured best; the others are
/// there to be measured against, and to be tested at their limits.
struct RingOptions {
  unsigned submissions = 1024;  ///< entries of the ring that requests go through
  unsigned completions = 4096;  ///< entries of the ring that results come through
  unsigned buffers = 512;       ///< for receives of all connections; a power of two
  bool multishot = true;        ///< one request receives many times
};

/// Backend::serve of `io-uring`.
void serve_with_ring(Worker& worker, const RingOptions& options);

}  // namespace muxlab
