#include <poll.h>

#include <cerrno>
#include <cstdint>
#include <optional>

#include "backends/backend.hpp"
#include "backends/io_uring_features.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/ready_list.hpp"
#include "backends/reactor.hpp"
#include "backends/ring.hpp"

namespace muxlab {
namespace {

/// io_uring as a better epoll: poll requests instead of a list in the kernel. A multishot request
/// completes at each change, like an edge, until it is removed. Changing the interest costs an
/// entry in the ring, submitted with the next wait, where epoll needs a system call.
///
/// EPOLLEXCLUSIVE is accepted too, but wakes the first ring in line even if its thread is stuck
/// elsewhere; epoll goes on to the next. So all threads that share a listener wake.
class IoUringPoller final : public OneShotPoller {
 public:
  IoUringPoller() { ready_.make_room(2 * std::size_t{kCompletions}); }

  [[nodiscard]] Trigger trigger() const override { return Trigger::edge; }

  void add(int fd, Interest interest) override { watch(fd, interest, IORING_POLL_ADD_MULTI); }
  void modify(int fd, Interest interest) override {
    stop_watching(fd);
    watch(fd, interest, IORING_POLL_ADD_MULTI);
  }
  /// Returns when the request is gone. The request holds the file, so otherwise close(2) would not
  /// end it, and a listener would continue to accept.
  void remove(int fd) override {
    const std::uint64_t request = name_of(fd, watched_[fd].generation);
    stop_watching(fd, 0);
    do {
      ring().submit_and_finish();
    } while (!ring().has_overflow() && !is_gone(request));
  }
  void add_once(int fd, Interest interest) override { watch(fd, interest, 0); }
  void rearm(int fd, Interest interest) override { watch(fd, interest, 0); }

  std::span<const int> wait(int timeout_ms) override {
    ready_.clear();
    if (timeout_ms != kForever) end_wait_after(timeout_ms);
    ring().submit_and_wait();
    const unsigned count = ring().ready();
    for (unsigned i = 0; i < count; ++i) note(ring().completion(i));
    ring().seen(count);
    return ready_.fds();
  }

 private:
  /// Made on the thread that waits, which may not be the thread that makes the poller.
  Ring& ring() { return ring_ ? *ring_ : ring_.emplace(kSubmissions, kCompletions); }

  struct Watched {
    std::uint32_t events = 0;
    std::uint32_t generation = 0;  ///< distinguishes its completions from earlier ones
    bool multishot = false;
  };

  static std::uint64_t name_of(int fd, std::uint32_t generation) {
    return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
  }

  void watch(int fd, Interest interest, unsigned flags) {
    watched_[fd].events = interest == Interest::read ? POLLIN | kHidesMore : POLLOUT;
    arm(fd, flags);
  }

  void arm(int fd, unsigned flags) {
    Watched& watched = watched_[fd];
    watched.multishot = flags == IORING_POLL_ADD_MULTI;
    io_uring_sqe* const entry = ring().entry();
    io_uring_prep_poll_add(entry, fd, watched.events);
    entry->len = flags;
    entry->user_data = name_of(fd, ++watched.generation);
  }

  /// Cancels, because a poll-remove fails with EALREADY, and changes nothing, while the request
  /// fires.
  void stop_watching(int fd, unsigned flags = IOSQE_CQE_SKIP_SUCCESS) {
    Watched& watched = watched_[fd];
    const std::uint64_t request = name_of(fd, watched.generation++);
    io_uring_sqe* const entry = ring().entry();
    io_uring_prep_cancel64(entry, request, 0);
    entry->flags |= static_cast<std::uint8_t>(flags);
    entry->user_data = request | kCancel;
  }

  /// Adds a completion that comes after `timeout_ms`, or with the first other one.
  void end_wait_after(int timeout_ms) {
    limit_ = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1'000'000LL};
    io_uring_sqe* const entry = ring().entry();
    io_uring_prep_timeout(entry, &limit_, 1, 0);
    entry->user_data = kCancel;
  }

  [[nodiscard]] bool is_gone(std::uint64_t request) {
    const io_uring_cqe* const cancelled = ring().find(request | kCancel);
    if (cancelled == nullptr) return false;
    if (cancelled->res == -ENOENT) return true;  // it was complete before
    return ring().find(request) != nullptr;
  }

  void note(const io_uring_cqe& completion) {
    if ((completion.user_data & kCancel) != 0) return;
    const int fd = static_cast<int>(completion.user_data & UINT32_MAX);
    Watched& watched = watched_[fd];
    if (completion.user_data >> 32 != watched.generation) return;
    // The kernel ends a request if it lacks room, and does not begin one if it lacks memory. The
    // next recv() reports an error of the descriptor.
    const bool has_ended = (completion.flags & IORING_CQE_F_MORE) == 0;
    const bool is_refused = completion.res == -ENOMEM || completion.res == -ENOSPC;
    if (is_refused || (has_ended && watched.multishot && completion.res >= 0)) {
      arm(fd, watched.multishot ? IORING_POLL_ADD_MULTI : 0);
    }
    if (is_refused) return;
    ready_.push(fd);
    if (completion.res > 0 && (static_cast<unsigned>(completion.res) & kHidesMore) != 0) {
      ready_.push(fd);
    }
  }

  /// End of stream came with the data, and nothing else would report it: it takes two receives. An
  /// urgent byte also ends a receive, but is not detectable. The kernel reports the events that the
  /// waker considers possible, which for TCP always include POLLPRI.
  static constexpr unsigned kHidesMore = POLLRDHUP;
  static constexpr unsigned kSubmissions = 1024;
  static constexpr unsigned kCompletions = 4096;
  static constexpr std::uint64_t kCancel = std::uint64_t{1} << 31;  // above every descriptor

  FdMap<Watched> watched_;
  ReadyList ready_;
  __kernel_timespec limit_{};
  std::optional<Ring> ring_;
};

Availability probe_poll_requests() {
  IoUringPoller poller;
  return availability_of(poller);
}

}  // namespace

extern const Backend io_uring_poll_backend{
    .name = "io-uring-poll",
    .summary = "io_uring as a readiness mechanism: multishot poll requests",
    .probe = [] { return probe_ring(probe_poll_requests); },
    .serve = serve_with<IoUringPoller>,
    .make_poller = make_poller<IoUringPoller>,
};

}  // namespace muxlab
