#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <new>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/ready_list.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

/// epoll(7): the kernel keeps the list, and wait() copies out ready descriptors only.
///
/// Level-triggered, a descriptor goes back to the ready list as long as it is ready.
/// Edge-triggered, it goes there when something changes, and stays registered all the same.
template <Trigger kTrigger>
class EpollPoller final : public OneShotPoller {
 public:
  EpollPoller() { ready_.make_room(2 * std::size_t{kMaxEvents}); }

  [[nodiscard]] Trigger trigger() const override { return kTrigger; }

  void add(int fd, Interest interest) override {
    control(EPOLL_CTL_ADD, fd, events_of(interest) | kMode);
  }
  void modify(int fd, Interest interest) override {
    control(EPOLL_CTL_MOD, fd, events_of(interest) | kMode);
  }
  /// Closing a descriptor also removes it, so it may be gone already.
  void remove(int fd) override {
    const int result = ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    if (result < 0 && errno != ENOENT && errno != EBADF) throw_errno("epoll_ctl");
  }

  /// EPOLLEXCLUSIVE goes with few other flags, and only with ADD: epoll_ctl(2).
  void add_exclusive(int fd) override {
    control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE | (kMode & EPOLLET));
  }

  void add_once(int fd, Interest interest) override {
    control(EPOLL_CTL_ADD, fd, events_of(interest) | kMode | EPOLLONESHOT);
  }
  void rearm(int fd, Interest interest) override {
    control(EPOLL_CTL_MOD, fd, events_of(interest) | kMode | EPOLLONESHOT);
  }
  [[nodiscard]] bool rearms_from_any_thread() const override { return true; }

  std::span<const int> wait(int timeout_ms) override {
    ready_.clear();
    const int count = ::epoll_wait(epoll_.get(), events_.data(), kMaxEvents, timeout_ms);
    if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      ready_.push(event.data.fd);
      if (needs_two_receives(event)) ready_.push(event.data.fd);
    }
    return ready_.fds();
  }

 private:
  /// True if one edge brings data and end of stream. The first receive takes the data and has no
  /// reason to continue, and nothing would report the end later. An urgent byte, before which a
  /// receive stops, hides the bytes behind it in the same way.
  static bool needs_two_receives(const epoll_event& event) {
    return kTrigger == Trigger::edge && (event.events & (EPOLLRDHUP | EPOLLPRI)) != 0;
  }

  static std::uint32_t events_of(Interest interest) {
    return interest == Interest::read ? EPOLLIN : EPOLLOUT;
  }

  void control(int operation, int fd, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    if (::epoll_ctl(epoll_.get(), operation, fd, &event) == 0) return;
    // Errors of this one descriptor: fs.epoll.max_user_watches reached, no memory, closed already.
    for (const int error : {ENOSPC, ENOMEM, ENOENT, EBADF}) {
      if (errno == error) throw std::bad_alloc();
    }
    throw_errno("epoll_ctl");
  }

  static constexpr std::uint32_t kMode =
      kTrigger == Trigger::edge ? EPOLLET | EPOLLRDHUP | EPOLLPRI : 0;
  static constexpr int kMaxEvents = 1024;

  UniqueFd epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::array<epoll_event, kMaxEvents> events_;
  ReadyList ready_;
};

using LevelTriggered = EpollPoller<Trigger::level>;
using EdgeTriggered = EpollPoller<Trigger::edge>;

}  // namespace

extern const Backend epoll_lt_backend{
    .name = "epoll-lt",
    .summary = "epoll(7), level-triggered: reports a descriptor as long as it is ready",
    .probe = probe_poller<LevelTriggered>,
    .serve = serve_with<LevelTriggered>,
    .make_poller = make_poller<LevelTriggered>,
};

extern const Backend epoll_et_backend{
    .name = "epoll-et",
    .summary = "epoll(7), edge-triggered: reports a descriptor once per change",
    .probe = probe_poller<EdgeTriggered>,
    .serve = serve_with<EdgeTriggered>,
    .make_poller = make_poller<EdgeTriggered>,
};

}  // namespace muxlab
