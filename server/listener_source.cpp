#include "server/listener_source.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <utility>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

constexpr long kPauseNs = 50'000'000;

void watch(int gate, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  checked(::epoll_ctl(gate, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/// Nothing is wrong with the listener: this connection is gone, or the kernel is short of
/// something.
enum class Trouble : std::uint8_t { none_waiting, this_connection, shortage, listener };

Trouble judge(int error) {
  switch (error) {
    case EAGAIN:
      return Trouble::none_waiting;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Trouble::shortage;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
    case EFAULT:
      return Trouble::listener;
    default:  // accept(2): errors already pending on the new socket are passed on, so try the next
      return Trouble::this_connection;
  }
}

}  // namespace

ListenerSource::ListenerSource(UniqueFd listener, int max_descriptor, WorkerStats& stats)
    : listener_(std::move(listener)),
      pause_timer_(
          checked(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")),
      gate_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      max_descriptor_(max_descriptor),
      stats_(stats) {
  watch(gate_.get(), listener_.get());
  watch(gate_.get(), pause_timer_.get());
}

Taken ListenerSource::take() {
  while (!paused()) {
    UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket && socket.get() <= max_descriptor_) return socket;
    if (socket) {
      ++stats_.refused;
      continue;
    }
    switch (judge(errno)) {
      case Trouble::none_waiting:
        return {};
      case Trouble::this_connection:
        continue;
      case Trouble::shortage:
        pause();
        break;
      case Trouble::listener:
        throw_errno("accept4");
    }
  }
  return {};
}

void ListenerSource::pause() {
  checked(::epoll_ctl(gate_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr), "epoll_ctl");
  const itimerspec once{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = kPauseNs}};
  checked(::timerfd_settime(pause_timer_.get(), 0, &once, nullptr), "timerfd_settime");
  paused_ = true;
}

bool ListenerSource::paused() {
  if (!paused_) return false;
  std::uint64_t expirations = 0;
  if (::read(pause_timer_.get(), &expirations, sizeof expirations) < 0) return true;
  watch(gate_.get(), listener_.get());
  return paused_ = false;
}

}  // namespace muxlab
