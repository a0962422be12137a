#pragma once

#include <string>

#include "backends/backend.hpp"

namespace muxlab {

/// Try features that the kernel's list of operations does not report, because each is a flag of
/// one. Use sockets of their own. Call them on a thread that uses no other ring. Throw
/// std::system_error if their set-up fails.
bool accepts_many_times();
bool polls_many_times();
/// Uses a ring of buffers from which the kernel picks, io_uring_register_buf_ring(3).
bool receives_into_buffer_ring();
bool receives_many_times();  ///< multishot, into such buffers

/// Returns true if a ring with these IORING_SETUP_ flags works. Throws std::system_error.
bool ring_works(unsigned setup_flags);

/// Runs `probe`, which makes a ring, on a thread of its own. Converts its std::system_error to the
/// reason why there is no ring.
Availability probe_ring(Availability (*probe)());

/// Explains why io_uring_setup(2) failed with `error`, with the fix. Reads /proc below `root`.
Availability why_no_ring(int error, const std::string& root = "/");

}  // namespace muxlab
