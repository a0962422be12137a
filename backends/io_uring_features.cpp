#include "backends/io_uring_features.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <thread>

#include "backends/parts/failure.hpp"
#include "backends/ring.hpp"

namespace muxlab {
namespace {

constexpr std::size_t kBufferBytes = 64;

struct Pair {
  UniqueFd ours, theirs;
};

/// Makes two connected sockets, with a byte for `ours` to receive.
Pair make_pair_with_input() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  Pair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  checked(static_cast<int>(::send(ends[1], "?", 1, MSG_NOSIGNAL)), "send");
  return pair;
}

/// Returns the completion of the only prepared request.
io_uring_cqe result_of_one(Ring& ring) {
  ring.submit_and_wait();
  const io_uring_cqe result = ring.completion(0);
  ring.seen(1);
  return result;
}

io_uring_cqe receive_into_buffer_ring(bool multishot) {
  BufferRing buffers(8, kBufferBytes);
  Ring ring(8, 16);
  buffers.offer_to(ring);
  const Pair pair = make_pair_with_input();
  io_uring_sqe* const entry = ring.entry();
  if (multishot) {
    io_uring_prep_recv_multishot(entry, pair.ours.get(), nullptr, 0, 0);
  } else {
    io_uring_prep_recv(entry, pair.ours.get(), nullptr, kBufferBytes, 0);
  }
  BufferRing::pick_for(*entry);
  return result_of_one(ring);
}

bool is_one_byte(const io_uring_cqe& result, unsigned expected_flags) {
  return result.res == 1 && (result.flags & expected_flags) == expected_flags;
}

bool completes_one_request(io_uring* ring) {
  io_uring_prep_nop(io_uring_get_sqe(ring));
  if (io_uring_submit(ring) != 1) return false;
  __kernel_timespec patience{.tv_sec = 1, .tv_nsec = 0};  // with SQPOLL a kernel thread does it
  io_uring_cqe* done = nullptr;
  int result = -EINTR;
  while (result == -EINTR) result = io_uring_wait_cqe_timeout(ring, &done, &patience);
  return result == 0 && done->res == 0;
}

}  // namespace

bool receives_into_buffer_ring() {
  return is_one_byte(receive_into_buffer_ring(false), IORING_CQE_F_BUFFER);
}

bool receives_many_times() {
  return is_one_byte(receive_into_buffer_ring(true), IORING_CQE_F_BUFFER | IORING_CQE_F_MORE);
}

bool polls_many_times() {
  Ring ring(8, 16);
  const Pair pair = make_pair_with_input();
  io_uring_prep_poll_multishot(ring.entry(), pair.ours.get(), POLLIN);
  const io_uring_cqe result = result_of_one(ring);
  return result.res == POLLIN && (result.flags & IORING_CQE_F_MORE) != 0;
}

bool accepts_many_times() {
  Ring ring(8, 16);
  const UniqueFd listener(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  const sockaddr_un any{.sun_family = AF_UNIX, .sun_path = {}};  // the kernel chooses a name
  checked(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family),
          "bind");
  checked(::listen(listener.get(), 1), "listen");
  sockaddr_un name{};
  socklen_t size = sizeof name;
  checked(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size), "getsockname");
  const UniqueFd client(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  checked(::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), size), "connect");
  io_uring_sqe* const entry = ring.entry();
  io_uring_prep_multishot_accept(entry, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
  const io_uring_cqe result = result_of_one(ring);
  if (result.res < 0) return false;
  const UniqueFd accepted(result.res);
  return (result.flags & IORING_CQE_F_MORE) != 0;
}

bool ring_works(unsigned setup_flags) {
  io_uring ring{};
  const int result = ::io_uring_queue_init(4, &ring, setup_flags);
  if (result < 0) throw std::system_error(-result, std::system_category(), "io_uring_setup");
  const bool completed = completes_one_request(&ring);
  ::io_uring_queue_exit(&ring);
  return completed;
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
  return Availability::never(std::system_error(error, std::system_category(), "io_uring_setup"));
}

}  // namespace muxlab
