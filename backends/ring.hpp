#pragma once

#include <liburing.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace muxlab {

/// An io_uring(7) for one thread: the two rings shared with the kernel, and the call that submits
/// requests and waits for completions.
///
/// The kernel completes requests only while this thread waits (DEFER_TASKRUN). Nothing interrupts
/// the thread in between, and completions come in batches. After the ring is destroyed, the kernel
/// may interrupt this thread once more: a call with a time-out can then return EINTR.
class Ring {
 public:
  /// Call it on the thread that uses the ring. Throws std::system_error.
  Ring(unsigned submissions, unsigned completions);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  /// Returns the next entry to prepare; set its user_data last. Submits the prepared entries if
  /// there is no room. Throws std::system_error.
  io_uring_sqe* entry();

  /// Makes room, so that the next `count` entries are submitted together, as a link requires:
  /// entry() submits nothing in between. Throws std::system_error.
  void make_room(unsigned count);

  /// Prepare a request: the first completes when `fd` is readable. The second cancels `request`,
  /// and posts a completion of its own only if that fails. Throw std::system_error.
  void prepare_poll(int fd, std::uint64_t user_data);
  void prepare_cancel(std::uint64_t request, std::uint64_t user_data);

  /// Submits the prepared requests. Throws std::system_error.
  void submit();

  /// Submits, and lets the kernel run due work, so that it releases the files of cancelled
  /// requests. Throws std::system_error.
  void submit_and_finish();

  /// Submits the prepared requests, and waits until `count` requests are complete or a signal
  /// arrives. Throws std::system_error.
  void submit_and_wait(unsigned count = 1);

  /// True if the last call submitted everything. The kernel takes less if it lacks memory.
  [[nodiscard]] bool is_all_submitted() const { return io_uring_sq_ready(&ring_) == 0; }
  /// Returns the descriptor of a request that was not submitted although the one before it in a
  /// link was; -1 if there is none. The link is cut: the kernel will make that request in any case.
  [[nodiscard]] int cut_link() const;

  /// ready() counts the completions, completion() returns the n-th, seen() releases the first
  /// `count`.
  [[nodiscard]] unsigned ready() const { return io_uring_cq_ready(&ring_); }
  [[nodiscard]] const io_uring_cqe& completion(unsigned n) const {
    return ring_.cq.cqes[(*ring_.cq.khead + n) & *ring_.cq.kring_mask];
  }
  /// Returns the last completion of the request with `user_data`, or null if it has not come.
  [[nodiscard]] const io_uring_cqe* find(std::uint64_t user_data) const {
    for (unsigned n = 0; n < ready(); ++n) {
      const io_uring_cqe& found = completion(n);
      if (found.user_data == user_data && (found.flags & IORING_CQE_F_MORE) == 0) return &found;
    }
    return nullptr;
  }
  void seen(unsigned count) { io_uring_cq_advance(&ring_, count); }

  /// True if completions did not find room; the next submit_and_wait() brings them.
  [[nodiscard]] bool has_overflow() const { return io_uring_cq_has_overflow(&ring_); }

  io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
};

/// Packs the user_data of a request: its kind, an enum of the loop, in the low byte; above it 32
/// bits for the descriptor and 16 for the buffer that is sent from.
template <typename Kind>
std::uint64_t user_data_of(Kind kind, int fd = 0, std::uint16_t buffer = 0) {
  return std::uint64_t{buffer} << 40 | static_cast<std::uint64_t>(fd) << 8 |
         static_cast<std::uint64_t>(kind);
}
template <typename Kind>
Kind kind_of(const io_uring_cqe& completion) {
  return static_cast<Kind>(completion.user_data & 0xff);
}
inline int fd_of(const io_uring_cqe& completion) {
  return static_cast<int>(completion.user_data >> 8 & UINT32_MAX);
}
inline std::uint16_t sent_buffer_of(const io_uring_cqe& completion) {
  return static_cast<std::uint16_t>(completion.user_data >> 40);
}

/// Buffers from which the kernel picks when it receives, so no connection needs one in advance.
/// Their descriptions are in a ring shared with the kernel; io_uring_register_buf_ring(3).
///
/// Must be destroyed after the ring that it is registered with, which writes into it until then.
class BufferRing {
 public:
  using Id = std::uint16_t;
  static constexpr unsigned kGroup = 0;

  /// Allocates `most` buffers of `size` bytes; `most` must be a power of two. Throws
  /// std::system_error, std::bad_alloc.
  BufferRing(unsigned most, std::size_t size);
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;
  ~BufferRing();

  /// Offers `count` buffers, or all if there are fewer, to receives of `ring`. The kernel picks the
  /// one that was returned first, so it cycles through all: the fewer there are, the more stay in
  /// the cache. Throws std::system_error.
  void offer_to(Ring& ring, unsigned count = UINT_MAX);
  /// Doubles the number in use, up to all. Call it when a receive found none.
  void add_more() { use(2 * used_); }

  /// Makes the kernel pick a buffer for the receive in `entry`.
  static void pick_for(io_uring_sqe& entry) {
    entry.flags |= IOSQE_BUFFER_SELECT;
    entry.buf_group = kGroup;
  }
  /// Returns the buffer of a completed receive, by the flags of its completion.
  static Id id_of(std::uint32_t flags) { return static_cast<Id>(flags >> IORING_CQE_BUFFER_SHIFT); }
  /// Takes that buffer; the caller owns it until give_back().
  Id take(const io_uring_cqe& completion) {
    --free_;
    return id_of(completion.flags);
  }
  void give_back(Id id) {
    io_uring_buf_ring_add(ring_, data(id), static_cast<unsigned>(size_), id,
                          io_uring_buf_ring_mask(most_), returned_++);
    ++free_;
  }
  /// Gives all returned buffers to the kernel, with one store.
  void publish() {
    if (returned_ == 0) return;
    io_uring_buf_ring_advance(ring_, returned_);
    returned_ = 0;
  }

  [[nodiscard]] unsigned free() const { return free_; }
  [[nodiscard]] std::byte* data(Id id) const { return memory_.get() + id * (size_ + kLine); }

 private:
  /// Padding, because buffers a power of two apart would all begin in the same sets of the cache.
  static constexpr std::size_t kLine = 64;

  void use(unsigned count);
  std::size_t ring_bytes() const { return most_ * sizeof(io_uring_buf); }

  unsigned most_;
  unsigned used_ = 0;
  std::size_t size_;
  unsigned free_ = 0;
  int returned_ = 0;
  std::unique_ptr<std::byte[]> memory_;
  io_uring_buf_ring* ring_;
};

}  // namespace muxlab
