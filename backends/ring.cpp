#include "backends/ring.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <mutex>
#include <system_error>
#include <thread>

namespace muxlab {
namespace {

/// What the kernel can not take now stays where it is, and is handed over with the next call.
void check(int result, const char* what) {
  if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) {
    throw std::system_error(-result, std::system_category(), what);
  }
}

/// Held while a ring comes or goes. The kernel has one unmapped before the next is mapped in its
/// place; this says so where only the program is looked at, as ThreadSanitizer does: liburing calls
/// the kernel without the C library.
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
  // Spares each call the look-up of the descriptor. It is per thread, and there may be no room.
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

void Ring::submit() { check(::io_uring_submit(&ring_), "io_uring_submit"); }

void Ring::submit_and_finish() {
  check(::io_uring_submit_and_get_events(&ring_), "io_uring_submit_and_get_events");
}

void Ring::submit_and_wait(unsigned count) {
  check(::io_uring_submit_and_wait(&ring_, count), "io_uring_submit_and_wait");
}

namespace {

int disabled_by_sysctl(const std::string& root) {
  int value = 0;
  std::ifstream(root + "/proc/sys/kernel/io_uring_disabled") >> value;
  return value;
}

}  // namespace

Availability probe_ring(Availability (*probe)()) {
  Availability found;
  std::thread([&] {
    try {
      found = probe();
    } catch (const std::system_error& error) {
      found = why_no_ring(error.code().value());
    }
  }).join();
  return found;
}

Availability why_no_ring(int error, const std::string& root) {
  if (const int disabled = disabled_by_sysctl(root); error == EPERM && disabled > 0) {
    constexpr const char* kSwitchOn = "sudo sysctl kernel.io_uring_disabled=0";
    return Availability::never(
        fmt::format("io_uring is switched off: kernel.io_uring_disabled is {}", disabled),
        disabled == 1 ? fmt::format("{}, or be in the group kernel.io_uring_group", kSwitchOn)
                      : kSwitchOn);
  }
  if (error == EPERM || error == EACCES) {
    return Availability::never("io_uring_setup is forbidden, as containers do by a seccomp filter",
                               "start the container with a seccomp profile that allows io_uring");
  }
  if (error == ENOSYS) {
    return Availability::never("the kernel has no io_uring, or a seccomp filter hides it",
                               "use Linux 6.1 or later, or a seccomp profile that allows io_uring");
  }
  if (error == EINVAL) {
    return Availability::never("the kernel has no IORING_SETUP_DEFER_TASKRUN",
                               "use Linux 6.1 or later");
  }
  if (error == ENOMEM) {
    return Availability::never("there is no memory for a ring, or too little may be locked",
                               "raise the limit with ulimit -l");
  }
  return Availability::never(std::system_category().message(error), "");
}

}  // namespace muxlab
