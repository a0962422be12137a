#pragma once

#include <sys/socket.h>

#include "backends/backend.hpp"

namespace muxlab {

/// How the backend `io-uring` uses its ring; the controls change one of these each, to measure it.
struct RingOptions {
  unsigned submissions = 1024;  ///< entries of the ring that requests go through; 2 at least
  unsigned completions = 1024;  ///< entries of the ring that results come through
  unsigned buffers = 512;       ///< at most, for receives of all connections; a power of two
  unsigned first_buffers = 16;  ///< in use before a receive has found none
  std::size_t receive_size = kBufferSize;  ///< the size of each, the most that one receive brings
  bool polls_first = false;  ///< a receive waits for input before it looks whether there is some
  int more = MSG_MORE;       ///< flag of a send that another one follows: both may leave together
};

/// Backend::serve of `io-uring`.
void serve_with_ring(Worker& worker, const RingOptions& options);

/// Backend::probe of all that receives into buffers which the kernel picks.
Availability probe_io_uring();

}  // namespace muxlab
