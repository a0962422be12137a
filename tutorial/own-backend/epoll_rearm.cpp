#include <sys/epoll.h>

#include <array>
#include <cerrno>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

/// epoll(7) with interests for one report each (EPOLLONESHOT), armed anew before the next wait: a
/// frequent way to use it where several threads share an instance, and one call per report dearer.
class RearmingPoller final : public Poller {
 public:
  void add(int fd, Interest interest) override {
    watched_[fd] = {.interest = interest};
    control(EPOLL_CTL_ADD, fd, interest);
  }
  void modify(int fd, Interest interest) override {
    watched_[fd] = {.interest = interest};
    control(EPOLL_CTL_MOD, fd, interest);
  }
  void remove(int fd) override {
    watched_[fd] = {};  // what was reported is not armed again: the number may be another's by then
    control(EPOLL_CTL_DEL, fd, Interest::read);
  }

  std::span<const int> wait(int timeout_ms) override {
    rearm_reported();
    const int count = ::epoll_wait(epoll_.get(), events_.data(), kMaxEvents, timeout_ms);
    if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
    count_ = 0;
    for (int i = 0; i < count; ++i) {
      const int fd = events_[static_cast<std::size_t>(i)].data.fd;
      watched_[fd].is_reported = true;
      ready_[count_++] = fd;
    }
    return std::span(ready_).first(count_);
  }

 private:
  struct Watched {
    Interest interest = Interest::read;
    bool is_reported = false;  ///< and not armed since
  };

  void rearm_reported() {
    for (const int fd : std::span(ready_).first(count_)) {
      Watched& watched = watched_[fd];
      if (!watched.is_reported) continue;
      watched.is_reported = false;
      control(EPOLL_CTL_MOD, fd, watched.interest);
    }
  }

  void control(int operation, int fd, Interest interest) {
    const std::uint32_t wanted = interest == Interest::read ? EPOLLIN : EPOLLOUT;
    epoll_event event{.events = wanted | EPOLLONESHOT, .data = {.fd = fd}};
    checked(::epoll_ctl(epoll_.get(), operation, fd, &event), "epoll_ctl");
  }

  static constexpr int kMaxEvents = 1024;

  UniqueFd epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  FdMap<Watched> watched_;
  std::array<epoll_event, kMaxEvents> events_;
  std::array<int, kMaxEvents> ready_;
  std::size_t count_ = 0;
};

}  // namespace

extern const Backend epoll_rearm_backend{
    .name = "epoll-rearm",
    .summary = "epoll(7), one-shot: each report is armed anew",
    .probe = probe_poller<RearmingPoller>,
    .serve = serve_with<RearmingPoller>,
    .calls = CallsPerEcho{.ctl = 1},
};

}  // namespace muxlab
