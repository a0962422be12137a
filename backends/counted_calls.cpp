#include "backends/counted_calls.hpp"

#include <dlfcn.h>
#include <liburing.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdarg>

namespace {

thread_local muxlab::WorkerStats* counted = nullptr;

void count(muxlab::Call call) {
  if (counted != nullptr) ++(*counted)[call];
}

/// The definition that would have been called were it not for ours: the C library's, or that of a
/// sanitizer or of a preloaded library, which thereby still see every call.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

namespace muxlab {

CountedCalls::CountedCalls(WorkerStats& stats) { counted = &stats; }
CountedCalls::~CountedCalls() { counted = nullptr; }

}  // namespace muxlab

using muxlab::Call;

extern "C" {

int epoll_wait(int epfd, epoll_event* events, int maxevents, int timeout) {
  static auto* const real = next<decltype(epoll_wait)>("epoll_wait");
  count(Call::wait);
  return real(epfd, events, maxevents, timeout);
}

int epoll_pwait(int epfd, epoll_event* events, int maxevents, int timeout, const sigset_t* mask) {
  static auto* const real = next<decltype(epoll_pwait)>("epoll_pwait");
  count(Call::wait);
  return real(epfd, events, maxevents, timeout, mask);
}

int poll(pollfd* fds, nfds_t count_of_fds, int timeout) {
  static auto* const real = next<decltype(poll)>("poll");
  count(Call::wait);
  return real(fds, count_of_fds, timeout);
}

int select(int nfds, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
  static auto* const real = next<decltype(select)>("select");
  count(Call::wait);
  return real(nfds, readable, writable, exceptional, timeout);
}

// liburing makes its calls itself: what is counted is the function that makes exactly one.
int io_uring_submit_and_wait(io_uring* ring, unsigned wait_nr) {
  static auto* const real = next<decltype(io_uring_submit_and_wait)>("io_uring_submit_and_wait");
  count(Call::wait);
  return real(ring, wait_nr);
}

int io_uring_submit(io_uring* ring) {
  static auto* const real = next<decltype(io_uring_submit)>("io_uring_submit");
  if (io_uring_sq_ready(ring) > 0) count(Call::ctl);
  return real(ring);
}

int io_uring_submit_and_get_events(io_uring* ring) {
  static auto* const real =
      next<decltype(io_uring_submit_and_get_events)>("io_uring_submit_and_get_events");
  count(Call::ctl);
  return real(ring);
}

int epoll_ctl(int epfd, int op, int fd, epoll_event* event) noexcept {
  static auto* const real = next<decltype(epoll_ctl)>("epoll_ctl");
  count(Call::ctl);
  return real(epfd, op, fd, event);
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  static auto* const real = next<decltype(recv)>("recv");
  count(Call::read);
  return real(fd, data, size, flags);
}

ssize_t read(int fd, void* data, size_t size) {
  static auto* const real = next<decltype(read)>("read");
  count(Call::read);
  return real(fd, data, size);
}

ssize_t readv(int fd, const iovec* parts, int part_count) {
  static auto* const real = next<decltype(readv)>("readv");
  count(Call::read);
  return real(fd, parts, part_count);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const real = next<decltype(recvmsg)>("recvmsg");
  count(Call::read);
  return real(fd, message, flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  static auto* const real = next<decltype(send)>("send");
  count(Call::write);
  return real(fd, data, size, flags);
}

ssize_t write(int fd, const void* data, size_t size) {
  static auto* const real = next<decltype(write)>("write");
  count(Call::write);
  return real(fd, data, size);
}

ssize_t writev(int fd, const iovec* parts, int part_count) {
  static auto* const real = next<decltype(writev)>("writev");
  count(Call::write);
  return real(fd, parts, part_count);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  static auto* const real = next<decltype(sendmsg)>("sendmsg");
  count(Call::write);
  return real(fd, message, flags);
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  static auto* const real = next<decltype(accept4)>("accept4");
  count(Call::accept);
  return real(fd, address, length, flags);
}

int close(int fd) {
  static auto* const real = next<decltype(close)>("close");
  count(Call::other);
  return real(fd);
}

int shutdown(int fd, int how) noexcept {
  static auto* const real = next<decltype(shutdown)>("shutdown");
  count(Call::other);
  return real(fd, how);
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  static auto* const real = next<decltype(getsockopt)>("getsockopt");
  count(Call::other);
  return real(fd, level, name, value, size);
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  static auto* const real = next<decltype(setsockopt)>("setsockopt");
  count(Call::other);
  return real(fd, level, name, value, size);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  static auto* const real = next<decltype(ioctl)>("ioctl");
  count(Call::other);
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return real(fd, request, argument);
}

// libuv closes by number, past a sanitizer that keeps account of descriptors too: here it goes the
// usual way. Not a static that waits to be made: it is with this call that it waits.
long syscall(long number, ...) noexcept {
  static std::atomic<decltype(syscall)*> known = nullptr;
  auto* real = known.load(std::memory_order_relaxed);
  if (real == nullptr) known = real = next<decltype(syscall)>("syscall");
  std::array<long, 6> arguments{};
  va_list given;
  va_start(given, number);
  for (long& argument : arguments) argument = va_arg(given, long);
  va_end(given);
  if (number == SYS_close) return close(static_cast<int>(arguments[0]));
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}

}  // extern "C"
