#include "backends/ring.hpp"

#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

/// Accepts errors after which requests stay in the ring and are submitted with the next call.
void check(int result, const char* what) {
  if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) {
    throw std::system_error(-result, std::system_category(), what);
  }
}

/// Held while a ring is made or destroyed. The kernel unmaps one before it maps the next in its
/// place. ThreadSanitizer does not see that order, because liburing calls the kernel without the C
/// library; the mutex makes it visible.
std::mutex& coming_and_going() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

Ring::Ring(unsigned submissions, unsigned completions) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_SUBMIT_ALL;
  params.cq_entries = completions;
  const std::lock_guard lock(coming_and_going());
  const int result = ::io_uring_queue_init_params(submissions, &ring_, &params);
  if (result < 0) throw std::system_error(-result, std::system_category(), "io_uring_setup");
  // Saves the look-up of the descriptor in each call. It is per thread, and there may be no room.
  static_cast<void>(::io_uring_register_ring_fd(&ring_));
}

Ring::~Ring() {
  const std::lock_guard lock(coming_and_going());
  ::io_uring_queue_exit(&ring_);
}

io_uring_sqe* Ring::entry() {
  make_room(1);
  return ::io_uring_get_sqe(&ring_);
}

void Ring::make_room(unsigned count) {
  for (int tries = 0; ::io_uring_sq_space_left(&ring_) < count; ++tries) {
    if (tries == 100) throw std::system_error(EBUSY, std::system_category(), "io_uring_submit");
    submit();
  }
}

int Ring::cut_link() const {
  if (is_all_submitted()) return -1;
  const unsigned head = *ring_.sq.khead, mask = *ring_.sq.kring_mask;
  const io_uring_sqe& last = ring_.sq.sqes[(head - 1) & mask];
  return (last.flags & IOSQE_IO_LINK) != 0 ? ring_.sq.sqes[head & mask].fd : -1;
}

void Ring::prepare_poll(int fd, std::uint64_t user_data) {
  io_uring_sqe* const entry = this->entry();
  io_uring_prep_poll_add(entry, fd, POLLIN);
  entry->user_data = user_data;
}

void Ring::prepare_cancel(std::uint64_t request, std::uint64_t user_data) {
  io_uring_sqe* const entry = this->entry();
  io_uring_prep_cancel64(entry, request, 0);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = user_data;
}

void Ring::submit() { check(::io_uring_submit(&ring_), "io_uring_submit"); }

void Ring::submit_and_finish() {
  check(::io_uring_submit_and_get_events(&ring_), "io_uring_submit_and_get_events");
}

void Ring::submit_and_wait(unsigned count) {
  check(::io_uring_submit_and_wait(&ring_, count), "io_uring_submit_and_wait");
}

BufferRing::BufferRing(unsigned most, std::size_t size)
    : most_(most), size_(size), memory_(new std::byte[most * (size + kLine)]) {
  void* const pages = ::mmap(nullptr, ring_bytes(), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);  // page-aligned, as required
  if (pages == MAP_FAILED) throw_errno("mmap");
  ring_ = static_cast<io_uring_buf_ring*>(pages);
  io_uring_buf_ring_init(ring_);
}

BufferRing::~BufferRing() { ::munmap(ring_, ring_bytes()); }

void BufferRing::offer_to(Ring& ring, unsigned count) {
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(ring_);
  registration.ring_entries = most_;
  registration.bgid = kGroup;
  const int result = ::io_uring_register_buf_ring(ring.get(), &registration, 0);
  if (result < 0) {
    throw std::system_error(-result, std::system_category(), "io_uring_register_buf_ring");
  }
  use(count);
}

void BufferRing::use(unsigned count) {
  for (count = std::min(count, most_); used_ < count; ++used_) give_back(static_cast<Id>(used_));
  publish();
}

}  // namespace muxlab
