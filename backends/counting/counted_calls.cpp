#include "backends/counting/counted_calls.hpp"

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

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <type_traits>
#include <utility>

namespace {

thread_local muxlab::WorkerStats* counted = nullptr;

/// When this thread was last seen running: both clocks at one moment.
struct Seen {
  std::uint64_t at_ns = 0;
  std::uint64_t cpu_ns = 0;
};
thread_local Seen seen;

Seen look(const muxlab::CallClocks& clocks) {
  return {.at_ns = clocks.monotonic.now_ns(), .cpu_ns = clocks.thread_cpu.now_ns()};
}

/// Adds its lifetime, without the cost of its own clock readings: one of them falls into that time,
/// half of it at either end, and the other outside.
class CallTimer {
 public:
  CallTimer(muxlab::WorkerStats& stats, muxlab::Call call)
      : stats_(stats),
        clocks_(*stats.observer->clocks),
        sum_(stats.call_ns[static_cast<std::size_t>(call)]),
        may_sleep_(call == muxlab::Call::wait || stats.sleeps_in_any_call),
        begin_ns_(clock().now_ns()) {}
  CallTimer(const CallTimer&) = delete;
  CallTimer& operator=(const CallTimer&) = delete;
  ~CallTimer() {
    const std::uint64_t end_ns = clock().now_ns();
    std::uint64_t took_ns = end_ns - begin_ns_;
    stats_.clock_ns.add(2 * clock().reading_ns);
    if (may_sleep_) {
      seen = {.at_ns = clocks_.monotonic.now_ns(), .cpu_ns = end_ns};
      stats_.clock_ns.add(clocks_.monotonic.reading_ns);
    } else if (took_ns > kSuspicious_ns) {
      took_ns -= std::min(took_ns, preempted_ns());
    }
    sum_.add(took_ns - std::min(took_ns, clock().reading_ns));
  }

 private:
  /// Such a call rarely takes that long by itself.
  static constexpr std::uint64_t kSuspicious_ns = 10'000;

  [[nodiscard]] const muxlab::CallClock& clock() const {
    return may_sleep_ ? clocks_.thread_cpu : clocks_.monotonic;
  }

  /// Returns how long this thread has not run since it was last seen.
  [[nodiscard]] std::uint64_t preempted_ns() const {
    const Seen before = std::exchange(seen, look(clocks_));
    stats_.clock_ns.add(clocks_.monotonic.reading_ns + clocks_.thread_cpu.reading_ns);
    const std::uint64_t passed_ns = seen.at_ns - before.at_ns;
    return passed_ns - std::min(passed_ns, seen.cpu_ns - before.cpu_ns);
  }

  muxlab::WorkerStats& stats_;
  const muxlab::CallClocks& clocks_;
  muxlab::Counter& sum_;
  bool may_sleep_;
  std::uint64_t begin_ns_;
};

template <typename Function, typename... Arguments>
auto time_call(muxlab::Call call, Function* real, Arguments... arguments) {
  if (!counted->is_timed()) return real(arguments...);
  const CallTimer timer(*counted, call);
  return real(arguments...);
}

template <typename Argument>
std::uint64_t as_number(Argument argument) {
  if constexpr (std::is_pointer_v<Argument>) {
    return reinterpret_cast<std::uint64_t>(argument);
  } else {
    return static_cast<std::uint64_t>(argument);
  }
}

/// Suspends counting on this thread for its lifetime.
class Uncounted {
 public:
  Uncounted() = default;
  Uncounted(const Uncounted&) = delete;
  Uncounted& operator=(const Uncounted&) = delete;
  ~Uncounted() { counted = before_; }

 private:
  muxlab::WorkerStats* before_ = std::exchange(counted, nullptr);
};

/// Not inlined, so that a call that is only counted is passed on with a jump.
template <typename Function, typename... Arguments>
[[gnu::noinline]] auto observe_call(muxlab::Call call, const char* name, Function* real,
                                    Arguments... arguments) {
  muxlab::CallWatcher* const watcher = counted->observer->watcher;
  if (watcher == nullptr) return time_call(call, real, arguments...);
  const muxlab::MadeCall made{.name = name, .call = call, .arguments = {as_number(arguments)...}};
  {
    const Uncounted own;
    watcher->begins(made);
  }
  const auto result = time_call(call, real, arguments...);
  const int error = errno;
  {
    const Uncounted own;
    watcher->returned(made, result, error);
  }
  errno = error;
  return result;
}

/// Makes the call, counted and, if requested, observed.
template <typename Function, typename... Arguments>
[[gnu::always_inline]] inline auto pass_on(muxlab::Call call, const char* name, Function* real,
                                           Arguments... arguments) {
  if (counted == nullptr) return real(arguments...);
  ++(*counted)[call];
  if (counted->observer != nullptr) [[unlikely]]
    return observe_call(call, name, real, arguments...);
  return real(arguments...);
}

/// Counts the events that a waiting call returned.
int count_events(int result) {
  if (counted != nullptr && result > 0) counted->events.add(static_cast<std::uint64_t>(result));
  return result;
}

/// Returns the definition that would have been called without ours: the C library's, or that of a
/// sanitizer or of a preloaded library, which so still sees every call.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

muxlab::CallWatcher* watcher_of(const muxlab::WorkerStats& stats) {
  return stats.observer != nullptr ? stats.observer->watcher : nullptr;
}

}  // namespace

namespace muxlab {

CountedCalls::CountedCalls(WorkerStats& stats) {
  if (CallWatcher* const watcher = watcher_of(stats)) watcher->thread_begins();
  counted = &stats;
  if (stats.is_timed()) seen = look(*stats.observer->clocks);
}

CountedCalls::~CountedCalls() {
  if (CallWatcher* const watcher = watcher_of(*std::exchange(counted, nullptr))) {
    watcher->thread_ends();
  }
}

}  // namespace muxlab

using muxlab::Call;

extern "C" {

int epoll_wait(int epfd, epoll_event* events, int maxevents, int timeout) {
  static auto* const real = next<decltype(epoll_wait)>("epoll_wait");
  return count_events(pass_on(Call::wait, "epoll_wait", real, epfd, events, maxevents, timeout));
}

int epoll_pwait(int epfd, epoll_event* events, int maxevents, int timeout, const sigset_t* mask) {
  static auto* const real = next<decltype(epoll_pwait)>("epoll_pwait");
  return count_events(
      pass_on(Call::wait, "epoll_pwait", real, epfd, events, maxevents, timeout, mask));
}

int poll(pollfd* fds, nfds_t count_of_fds, int timeout) {
  static auto* const real = next<decltype(poll)>("poll");
  return count_events(pass_on(Call::wait, "poll", real, fds, count_of_fds, timeout));
}

int select(int nfds, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
  static auto* const real = next<decltype(select)>("select");
  return count_events(
      pass_on(Call::wait, "select", real, nfds, readable, writable, exceptional, timeout));
}

// liburing makes system calls itself, so its functions that make exactly one are counted.
int io_uring_submit_and_wait(io_uring* ring, unsigned wait_nr) {
  static auto* const real = next<decltype(io_uring_submit_and_wait)>("io_uring_submit_and_wait");
  // With nothing to submit or to wait for, liburing makes no call.
  const bool makes_call =
      wait_nr > 0 || io_uring_sq_ready(ring) > 0 || io_uring_cq_has_overflow(ring);
  const int result = makes_call
                         ? pass_on(Call::wait, "io_uring_submit_and_wait", real, ring, wait_nr)
                         : real(ring, wait_nr);
  count_events(static_cast<int>(io_uring_cq_ready(ring)));
  return result;
}

int io_uring_submit(io_uring* ring) {
  static auto* const real = next<decltype(io_uring_submit)>("io_uring_submit");
  return io_uring_sq_ready(ring) > 0 ? pass_on(Call::ctl, "io_uring_submit", real, ring)
                                     : real(ring);
}

int io_uring_submit_and_get_events(io_uring* ring) {
  static auto* const real =
      next<decltype(io_uring_submit_and_get_events)>("io_uring_submit_and_get_events");
  return pass_on(Call::ctl, "io_uring_submit_and_get_events", real, ring);
}

int epoll_ctl(int epfd, int op, int fd, epoll_event* event) noexcept {
  static auto* const real = next<decltype(epoll_ctl)>("epoll_ctl");
  return pass_on(Call::ctl, "epoll_ctl", real, epfd, op, fd, event);
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  static auto* const real = next<decltype(recv)>("recv");
  return pass_on(Call::read, "recv", real, fd, data, size, flags);
}

ssize_t read(int fd, void* data, size_t size) {
  static auto* const real = next<decltype(read)>("read");
  return pass_on(Call::read, "read", real, fd, data, size);
}

ssize_t readv(int fd, const iovec* parts, int part_count) {
  static auto* const real = next<decltype(readv)>("readv");
  return pass_on(Call::read, "readv", real, fd, parts, part_count);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const real = next<decltype(recvmsg)>("recvmsg");
  return pass_on(Call::read, "recvmsg", real, fd, message, flags);
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  static auto* const real = next<decltype(send)>("send");
  return pass_on(Call::write, "send", real, fd, data, size, flags);
}

ssize_t write(int fd, const void* data, size_t size) {
  static auto* const real = next<decltype(write)>("write");
  return pass_on(Call::write, "write", real, fd, data, size);
}

ssize_t writev(int fd, const iovec* parts, int part_count) {
  static auto* const real = next<decltype(writev)>("writev");
  return pass_on(Call::write, "writev", real, fd, parts, part_count);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  static auto* const real = next<decltype(sendmsg)>("sendmsg");
  return pass_on(Call::write, "sendmsg", real, fd, message, flags);
}

int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  static auto* const real = next<decltype(accept4)>("accept4");
  return pass_on(Call::accept, "accept4", real, fd, address, length, flags);
}

int close(int fd) {
  static auto* const real = next<decltype(close)>("close");
  return pass_on(Call::other, "close", real, fd);
}

int shutdown(int fd, int how) noexcept {
  static auto* const real = next<decltype(shutdown)>("shutdown");
  return pass_on(Call::other, "shutdown", real, fd, how);
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  static auto* const real = next<decltype(getsockopt)>("getsockopt");
  return pass_on(Call::other, "getsockopt", real, fd, level, name, value, size);
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  static auto* const real = next<decltype(setsockopt)>("setsockopt");
  return pass_on(Call::other, "setsockopt", real, fd, level, name, value, size);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  static auto* const real = next<decltype(ioctl)>("ioctl");
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return pass_on(Call::other, "ioctl", real, fd, request, argument);
}

// libuv closes by system call number, unseen by a sanitizer that tracks descriptors, so this calls
// close(). `known` has no run-time initializer, because waiting for one calls syscall() itself.
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
