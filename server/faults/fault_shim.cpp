/// Preloaded into a server, makes the system misbehave as a FaultPlan says. It is between the
/// program and the C library, so it also sees the calls of libraries.
#include <dlfcn.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>

#include "server/faults/fault_plan.hpp"

namespace {

using muxlab::faults::FaultPlan;
using muxlab::faults::Site;
using muxlab::faults::SiteFaults;

FaultPlan* plan = nullptr;

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

__attribute__((constructor)) void find_plan() { plan = muxlab::faults::plan_of_the_tests(); }

/// Returns true, with errno set, when this call must fail.
bool fails(Site site) {
  if (plan == nullptr) return false;
  SiteFaults& faults = (*plan)[site];
  if (!faults.strikes()) return false;
  errno = faults.error;
  return true;
}

size_t limited(Site site, size_t size) {
  const std::uint64_t most = plan != nullptr ? (*plan)[site].most.load() : 0;
  return most > 0 ? std::min<size_t>(size, most) : size;
}

struct Parts {
  const iovec* first;
  int count;
};

/// Returns `parts`, or where a call may not move all, the start of the first part in `shortened`.
Parts limited(Site site, Parts parts, iovec& shortened) {
  if (parts.count == 0 || limited(site, SIZE_MAX) == SIZE_MAX) return parts;
  shortened = {.iov_base = parts.first->iov_base, .iov_len = limited(site, parts.first->iov_len)};
  return {.first = &shortened, .count = 1};
}

void stall_if_asked() {
  if (plan == nullptr || !plan->stall || plan->stalled.exchange(true)) return;
  while (plan->stall) ::usleep(1000);
}

bool is_socket(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

/// Applies the faults of a waiting call before it. Returns true when it must fail. Closes by system
/// call: a sanitizer must not see another thread's descriptor closed.
bool wait_fails() {
  if (plan != nullptr && plan->close_at_wait > 0) {
    const int fd = plan->close_at_wait.exchange(0);
    if (fd > 0) next<decltype(syscall)>("syscall")(SYS_close, fd);
  }
  return fails(Site::wait);
}

bool is_connection(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

/// Returns true when this epoll_ctl() of a connection must fail. ENOENT and EBADF fit only a
/// removal; other errors fit only an addition or a change.
bool control_fails(int operation, int fd) {
  if (plan == nullptr || (*plan)[Site::control].every == 0 || !is_connection(fd)) return false;
  const int error = (*plan)[Site::control].error;
  const bool is_gone = error == ENOENT || error == EBADF;
  return is_gone == (operation == EPOLL_CTL_DEL) && fails(Site::control);
}

/// Makes the kernel complete `request` with `error` and cancel linked requests.
void fail_instead(io_uring_sqe& request, int error) {
  constexpr unsigned kInjectResult = 1;  // IORING_NOP_INJECT_RESULT in later headers
  const io_uring_sqe before = request;
  request = {};
  request.opcode = IORING_OP_NOP;
  request.flags = before.flags & (IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
  request.rw_flags = kInjectResult;
  request.len = static_cast<unsigned>(-error);
  request.user_data = before.user_data;
}

/// Returns true for the server's own probes, which use unix sockets.
bool is_unix_socket(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_UNIX;
}

/// Applies to a request the faults of the call that it stands for.
void strike(io_uring_sqe& request) {
  if (request.opcode == IORING_OP_ACCEPT) {
    if (plan->accept_singly && !is_unix_socket(request.fd)) request.ioprio = 0;
    if (fails(Site::accept)) fail_instead(request, (*plan)[Site::accept].error);
  } else if (request.opcode == IORING_OP_POLL_ADD) {
    if (control_fails(EPOLL_CTL_ADD, request.fd)) {
      fail_instead(request, (*plan)[Site::control].error);
    }
  } else if (request.opcode == IORING_OP_RECV) {
    stall_if_asked();
    if ((*plan)[Site::receive].every > 0 || (*plan)[Site::receive].most > 0) {
      request.ioprio = 0;  // one-shot, so that each receive passes here
      request.file_index = 0;
      request.len = static_cast<unsigned>(limited(Site::receive, 0x7fffffff));
    }
    if (fails(Site::receive)) fail_instead(request, (*plan)[Site::receive].error);
  } else if (request.opcode == IORING_OP_SEND) {
    if (limited(Site::send, request.len) < request.len) {
      // With MSG_WAITALL a short send is a failure.
      if ((request.msg_flags & MSG_WAITALL) != 0) return fail_instead(request, EAGAIN);
      request.len = static_cast<unsigned>((*plan)[Site::send].most);
    }
    if (fails(Site::send)) fail_instead(request, (*plan)[Site::send].error);
  }
}

void strike_requests(io_uring* ring) {
  if (plan == nullptr) return;
  const unsigned mask = *ring->sq.kring_mask;
  for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; ++i) strike(ring->sq.sqes[i & mask]);
}

bool replays() { return plan != nullptr && plan->replay; }

/// Asio registers pointers to descriptor states, which it never frees.
bool may_be_socket(const epoll_event& event) {
  return event.data.u64 > INT_MAX || is_socket(event.data.fd);
}

/// Counts the closings of each descriptor; some descriptors share a count.
std::array<std::atomic<unsigned>, 4096> closings;

unsigned closings_of(const epoll_event& event) {
  return event.data.u64 > INT_MAX ? 0 : closings[event.data.u64 % closings.size()].load();
}

/// Adds to the `count` events one that this thread has seen before. Leaves it out once its
/// descriptor has been closed: no kernel reports that, and another thread may own the number.
int replay(epoll_event* events, int count, int most) {
  static thread_local epoll_event seen{};
  static thread_local bool any_seen = false;
  static thread_local unsigned closings_then = 0;
  if (!replays() || count <= 0) return count;
  const epoll_event newest = events[count - 1];
  if (any_seen && count < most && closings_of(seen) == closings_then) events[count++] = seen;
  if (may_be_socket(newest)) {
    seen = newest;
    any_seen = true;
    closings_then = closings_of(newest);
  }
  return count;
}

}  // namespace

extern "C" {

ssize_t recv(int fd, void* data, size_t size, int flags) {
  static auto* const real = next<decltype(recv)>("recv");
  stall_if_asked();
  return fails(Site::receive) ? -1 : real(fd, data, limited(Site::receive, size), flags);
}

ssize_t readv(int fd, const iovec* parts, int count) {
  static auto* const real = next<decltype(readv)>("readv");
  stall_if_asked();
  iovec shortened{};
  const Parts moved = limited(Site::receive, {.first = parts, .count = count}, shortened);
  return fails(Site::receive) ? -1 : real(fd, moved.first, moved.count);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  static auto* const real = next<decltype(send)>("send");
  return fails(Site::send) ? -1 : real(fd, data, limited(Site::send, size), flags);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static auto* const real = next<decltype(writev)>("writev");
  iovec shortened{};
  const Parts moved = limited(Site::send, {.first = parts, .count = count}, shortened);
  return fails(Site::send) ? -1 : real(fd, moved.first, moved.count);
}

ssize_t read(int fd, void* data, size_t size) {
  static auto* const real = next<decltype(read)>("read");
  if (is_socket(fd)) {
    stall_if_asked();
    return fails(Site::receive) ? -1 : real(fd, data, limited(Site::receive, size));
  }
  return fails(Site::read) ? -1 : real(fd, data, size);
}

ssize_t write(int fd, const void* data, size_t size) {
  static auto* const real = next<decltype(write)>("write");
  if (is_socket(fd)) {
    return fails(Site::send) ? -1 : real(fd, data, limited(Site::send, size));
  }
  return fails(Site::write) ? -1 : real(fd, data, size);
}

int close(int fd) {
  static auto* const real = next<decltype(close)>("close");
  if (fd >= 0) ++closings[static_cast<unsigned>(fd) % closings.size()];
  return real(fd);
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  static auto* const real = next<decltype(accept4)>("accept4");
  return fails(Site::accept) ? -1 : real(fd, address, length, flags);
}

int epoll_ctl(int epfd, int operation, int fd, epoll_event* event) noexcept {
  static auto* const real = next<decltype(epoll_ctl)>("epoll_ctl");
  return control_fails(operation, fd) ? -1 : real(epfd, operation, fd, event);
}

int epoll_wait(int epfd, epoll_event* events, int most, int timeout) {
  static auto* const real = next<decltype(epoll_wait)>("epoll_wait");
  return wait_fails() ? -1 : replay(events, real(epfd, events, most, timeout), most);
}

int epoll_pwait(int epfd, epoll_event* events, int most, int timeout, const sigset_t* mask) {
  static auto* const real = next<decltype(epoll_pwait)>("epoll_pwait");
  return wait_fails() ? -1 : replay(events, real(epfd, events, most, timeout, mask), most);
}

int poll(pollfd* polled, nfds_t count, int timeout) {
  static auto* const real = next<decltype(poll)>("poll");
  if (wait_fails()) return -1;
  int ready = real(polled, count, timeout);
  if (!replays() || ready <= 0) return ready;
  for (nfds_t i = 0; i < count; ++i) {
    if (polled[i].revents != 0 || polled[i].fd < 0 || !is_socket(polled[i].fd)) continue;
    polled[i].revents = polled[i].events;
    ++ready;
  }
  return ready;
}

int select(int width, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
  static auto* const real = next<decltype(select)>("select");
  if (wait_fails()) return -1;
  using Word = unsigned long;
  constexpr int kBits = 8 * sizeof(Word);
  const auto word = [](fd_set* set, int i) -> Word& { return reinterpret_cast<Word*>(set)[i]; };
  const int words = (width + kBits - 1) / kBits;
  auto* const asked = static_cast<Word*>(alloca(static_cast<size_t>(words + 1) * sizeof(Word)));
  for (int i = 0; i < words; ++i) asked[i] = readable != nullptr ? word(readable, i) : 0;
  int ready = real(width, readable, writable, exceptional, timeout);
  if (!replays() || ready <= 0) return ready;
  for (int fd = 0; fd < width && readable != nullptr; ++fd) {
    const Word bit = Word{1} << (fd % kBits);
    const bool silent = (asked[fd / kBits] & bit) != 0 && (word(readable, fd / kBits) & bit) == 0;
    if (!silent || !is_socket(fd)) continue;
    word(readable, fd / kBits) |= bit;
    ++ready;
  }
  return ready;
}

int io_uring_submit_and_wait(io_uring* ring, unsigned count) {
  static auto* const real = next<decltype(io_uring_submit_and_wait)>("io_uring_submit_and_wait");
  if (wait_fails()) return -(*plan)[Site::wait].error;
  if (fails(Site::enter)) return -(*plan)[Site::enter].error;
  strike_requests(ring);
  return real(ring, count);
}

int io_uring_submit(io_uring* ring) {
  static auto* const real = next<decltype(io_uring_submit)>("io_uring_submit");
  strike_requests(ring);
  return real(ring);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) noexcept {
  static auto* const real = next<decltype(pthread_create)>("pthread_create");
  return fails(Site::thread) ? EAGAIN : real(thread, attributes, body, argument);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static auto* const real = next<decltype(clock_gettime)>("clock_gettime");
  const int result = real(clock, now);
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (wall && plan != nullptr) now->tv_sec += plan->wall_clock_offset_s;
  return result;
}

int gettimeofday(timeval* now, void* zone) noexcept {
  static auto* const real = next<decltype(gettimeofday)>("gettimeofday");
  const int result = real(now, zone);
  if (plan != nullptr) now->tv_sec += plan->wall_clock_offset_s;
  return result;
}

time_t time(time_t* result) noexcept {
  static auto* const real = next<decltype(time)>("time");
  const time_t now = real(nullptr) + (plan != nullptr ? plan->wall_clock_offset_s.load() : 0);
  if (result != nullptr) *result = now;
  return now;
}

}  // extern "C"
