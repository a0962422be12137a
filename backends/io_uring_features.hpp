#pragma once

#include <string>

#include "backends/backend.hpp"

namespace muxlab {

/// What the kernel's list of operations does not tell, since it is a flag of one of them: whether
/// it really does so is tried, on sockets of its own. To be called on a thread that has no other
/// use for a ring; all throw std::system_error when it is not even taken.
bool accepts_many_times();
bool polls_many_times();
/// Into a buffer that the kernel picks from a ring of them, io_uring_register_buf_ring(3).
bool receives_into_buffer_ring();
bool receives_many_times();  ///< into such buffers

/// A ring made with these IORING_SETUP_ flags completes a request.
bool ring_works(unsigned setup_flags);

/// Runs `probe`, which makes a ring, on a thread of its own. What it throws is answered with the
/// reason.
Availability probe_ring(Availability (*probe)());

/// Why io_uring_setup(2) failed with `error`, and the cure; `root` is where /proc is looked for.
Availability why_no_ring(int error, const std::string& root = "/");

}  // namespace muxlab
