#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "backends/ring.hpp"

namespace muxlab {

/// Buffers that the kernel picks from when something is received, so that no connection has to have
/// one before. A ring of descriptions is shared with the kernel; io_uring_register_buf_ring(3).
///
/// To be destroyed after the ring that it is registered with, which writes into it until then.
class BufferRing {
 public:
  using Id = std::uint16_t;
  static constexpr unsigned kGroup = 0;

  /// `count` is a power of two. Throws std::system_error, std::bad_alloc.
  BufferRing(unsigned count, std::size_t size);
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;
  ~BufferRing();

  /// Offers all buffers to receives of `ring`. Throws std::system_error.
  void offer_to(Ring& ring);

  /// A completion brought it: it is ours until it is given back.
  void took(Id) { --free_; }
  void give_back(Id id) {
    io_uring_buf_ring_add(ring_, data(id), static_cast<unsigned>(size_), id,
                          io_uring_buf_ring_mask(count_), returned_++);
    ++free_;
  }
  /// The kernel may have from now on what was given back, all of it with one store.
  void publish() {
    if (returned_ == 0) return;
    io_uring_buf_ring_advance(ring_, returned_);
    returned_ = 0;
  }

  [[nodiscard]] unsigned free() const { return free_; }
  [[nodiscard]] std::byte* data(Id id) const { return memory_.get() + id * size_; }

 private:
  std::size_t ring_bytes() const { return count_ * sizeof(io_uring_buf); }

  unsigned count_;
  std::size_t size_;
  unsigned free_ = 0;
  int returned_ = 0;
  std::unique_ptr<std::byte[]> memory_;
  io_uring_buf_ring* ring_;
};

}  // namespace muxlab
