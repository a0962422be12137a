#include "backends/buffer_ring.hpp"

#include <sys/mman.h>

#include <system_error>

#include "backends/failure.hpp"

namespace muxlab {

BufferRing::BufferRing(unsigned count, std::size_t size)
    : count_(count), size_(size), memory_(new std::byte[count * size]) {
  void* const pages = ::mmap(nullptr, ring_bytes(), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);  // page-aligned, as it has to be
  if (pages == MAP_FAILED) throw_errno("mmap");
  ring_ = static_cast<io_uring_buf_ring*>(pages);
  io_uring_buf_ring_init(ring_);
}

BufferRing::~BufferRing() { ::munmap(ring_, ring_bytes()); }

void BufferRing::offer_to(Ring& ring) {
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(ring_);
  registration.ring_entries = count_;
  registration.bgid = kGroup;
  const int result = ::io_uring_register_buf_ring(ring.get(), &registration, 0);
  if (result < 0) {
    throw std::system_error(-result, std::system_category(), "io_uring_register_buf_ring");
  }
  for (unsigned id = 0; id < count_; ++id) give_back(static_cast<Id>(id));
  publish();
}

}  // namespace muxlab
