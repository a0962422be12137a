#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <new>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

/// epoll(7) with one-shot interests (EPOLLONESHOT), re-armed before the next wait. Common where
/// several threads share an epoll instance. It costs one more call per report.
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
    watched_[fd] = {};  // not re-armed: another socket may have this number by then
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);  // fails if it is closed already
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
    bool is_reported = false;  ///< and not re-armed since
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
    // No memory, or fs.epoll.max_user_watches reached: one connection ends, not the server.
    if (::epoll_ctl(epoll_.get(), operation, fd, &event) < 0) throw std::bad_alloc();
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
    .summary = "epoll(7), one-shot: re-armed after each report",
    .probe = probe_poller<RearmingPoller>,
    .serve = serve_with<RearmingPoller>,
    .calls = CallsPerEcho{.ctl = 1},
};

}  // namespace muxlab
