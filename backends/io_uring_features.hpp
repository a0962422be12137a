#pragma once

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

}  // namespace muxlab
