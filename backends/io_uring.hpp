#pragma once

#include <sys/socket.h>

#include "backends/backend.hpp"

namespace muxlab {

/// How the backend `io-uring` uses its ring. Each control changes one option, to measure it.
struct RingOptions {
  unsigned submissions = 1024;  ///< entries of the submission ring; at least 2
  unsigned completions = 1024;  ///< entries of the completion ring
  unsigned buffers = 512;       ///< receive buffers of all connections, at most; a power of two
  unsigned first_buffers = 16;  ///< buffers in use until a receive finds none
  std::size_t receive_size = kBufferSize;  ///< bytes per buffer, and so per receive
  bool polls_first = false;                ///< a receive waits for input before its first try
  int more = MSG_MORE;  ///< flag of a send that another one follows: they may share a packet
};

/// Backend::serve of `io-uring`.
void serve_with_ring(Worker& worker, const RingOptions& options);

/// Backend::probe of the backends whose receives use buffers that the kernel picks.
Availability probe_io_uring();

}  // namespace muxlab
