#pragma once

#include <liburing.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>

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

  /// Prepare a request: that completes once `fd` is readable; and that cancels `request`, and
  /// itself posts a completion only when there is none. Throw std::system_error.
  void prepare_poll(int fd, std::uint64_t user_data);
  void prepare_cancel(std::uint64_t request, std::uint64_t user_data);

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

/// user_data of a request: its kind, an enum of the loop, in the low byte. Above it these have 32
/// bits for the descriptor, and 16 for the buffer that is sent from.
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

/// Buffers that the kernel picks from when something is received, so that no connection has to have
/// one before. A ring of descriptions is shared with the kernel; io_uring_register_buf_ring(3).
///
/// To be destroyed after the ring that it is registered with, which writes into it until then.
class BufferRing {
 public:
  using Id = std::uint16_t;
  static constexpr unsigned kGroup = 0;

  /// Up to `most` buffers of `size` bytes; `most` is a power of two. Throws std::system_error,
  /// std::bad_alloc.
  BufferRing(unsigned most, std::size_t size);
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;
  ~BufferRing();

  /// Offers `count` buffers, or all if there are fewer, to receives of `ring`. The kernel takes the
  /// one that came back first, so it uses all in turn: the fewer there are, the more of them are in
  /// the cache. Throws std::system_error.
  void offer_to(Ring& ring, unsigned count = UINT_MAX);
  /// Doubles how many are in use, as long as there are more. For when a receive found none.
  void add_more() { use(2 * used_); }

  /// Has the kernel pick a buffer for the receive in `entry`.
  static void pick_for(io_uring_sqe& entry) {
    entry.flags |= IOSQE_BUFFER_SELECT;
    entry.buf_group = kGroup;
  }
  /// The buffer that a receive was completed with, by the flags of its completion.
  static Id id_of(std::uint32_t flags) { return static_cast<Id>(flags >> IORING_CQE_BUFFER_SHIFT); }
  /// The same, which is ours until it is given back.
  Id take(const io_uring_cqe& completion) {
    --free_;
    return id_of(completion.flags);
  }
  void give_back(Id id) {
    io_uring_buf_ring_add(ring_, data(id), static_cast<unsigned>(size_), id,
                          io_uring_buf_ring_mask(most_), returned_++);
    ++free_;
  }
  /// The kernel may have from now on what was given back, all of it with one store.
  void publish() {
    if (returned_ == 0) return;
    io_uring_buf_ring_advance(ring_, returned_);
    returned_ = 0;
  }

  [[nodiscard]] unsigned free() const { return free_; }
  [[nodiscard]] std::byte* data(Id id) const { return memory_.get() + id * (size_ + kLine); }

 private:
  /// Buffers a power of two apart would all begin in the same sets of the cache.
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
