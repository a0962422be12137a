#pragma once

#include <liburing.h>

#include <cstdint>
#include <string>

#include "backends/backend.hpp"

namespace muxlab {

/// An io_uring(7) for one thread: the two rings that are shared with the kernel, and the call that
/// hands over what was asked for and waits for what is done.
///
/// The kernel does the work that completes a request only while this thread waits (DEFER_TASKRUN):
/// nothing interrupts it in between, and completions come in batches. When the ring is gone, the
/// kernel wakes that thread once more, and a call of it that has a time-out then ends with EINTR.
class Ring {
 public:
  /// To be made on the thread that uses it. Throws std::system_error.
  Ring(unsigned submissions, unsigned completions);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  /// The next entry to prepare; its user_data is to be set last. Hands over what was prepared
  /// before when there is no room. Throws std::system_error.
  io_uring_sqe* entry();

  /// Makes sure that the next `count` entries go to the kernel in one submission, which a link
  /// needs: entry() hands over nothing in between. Throws std::system_error.
  void make_room(unsigned count);

  /// Hands over what was prepared. Throws std::system_error.
  void submit();

  /// Also has the kernel finish what is due, so that it holds no file of a request that is
  /// cancelled. Throws std::system_error.
  void submit_and_finish();

  /// Hands over what was prepared and waits until `count` requests are complete, or a signal came
  /// in. Throws std::system_error.
  void submit_and_wait(unsigned count = 1);

  /// The last call handed over everything. The kernel takes less when it has no memory.
  [[nodiscard]] bool is_all_submitted() const { return io_uring_sq_ready(&ring_) == 0; }
  /// The descriptor of a request that is not handed over although it is linked to one that is: the
  /// link is cut, and the request will be made whatever becomes of the other one. -1 for none.
  [[nodiscard]] int cut_link() const;

  /// How many completions there are, the n-th of them, and that the first `count` are dealt with.
  [[nodiscard]] unsigned ready() const { return io_uring_cq_ready(&ring_); }
  [[nodiscard]] const io_uring_cqe& completion(unsigned n) const {
    return ring_.cq.cqes[(*ring_.cq.khead + n) & *ring_.cq.kring_mask];
  }
  /// The last completion of the request that was prepared with `user_data`, if it is there.
  [[nodiscard]] const io_uring_cqe* find(std::uint64_t user_data) const {
    for (unsigned n = 0; n < ready(); ++n) {
      const io_uring_cqe& found = completion(n);
      if (found.user_data == user_data && (found.flags & IORING_CQE_F_MORE) == 0) return &found;
    }
    return nullptr;
  }
  void seen(unsigned count) { io_uring_cq_advance(&ring_, count); }

  /// More is complete than found room; the next submit_and_wait() brings it.
  [[nodiscard]] bool has_overflow() const { return io_uring_cq_has_overflow(&ring_); }

  io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
};

/// Runs `probe`, which makes a ring, on a thread of its own. What it throws is answered with the
/// reason.
Availability probe_ring(Availability (*probe)());

/// Why io_uring_setup(2) failed with `error`, and the cure; `root` is where /proc is looked for.
Availability why_no_ring(int error, const std::string& root = "/");

}  // namespace muxlab
