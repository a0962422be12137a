#include <poll.h>

#include <cerrno>
#include <vector>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/ready_list.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

short events_of(Interest interest) { return interest == Interest::read ? POLLIN : POLLOUT; }

/// poll(2): the whole list goes to the kernel and back with every call. Its length has no limit.
class PollPoller final : public OneShotPoller {
 public:
  void add(int fd, Interest interest) override { append(fd, interest, false); }
  void add_once(int fd, Interest interest) override { append(fd, interest, true); }

  void modify(int fd, Interest interest) override { polled(fd).events = events_of(interest); }

  void rearm(int fd, Interest interest) override {
    polled(fd) = {.fd = fd, .events = events_of(interest), .revents = 0};
  }

  /// The last entry moves into the gap, so that the list stays dense.
  void remove(int fd) override {
    const std::size_t place = entries_[fd].place;
    const pollfd last = polled_.back();
    polled_[place] = last;
    entries_[last.fd >= 0 ? last.fd : ~last.fd].place = place;
    polled_.pop_back();
  }

  std::span<const int> wait(int timeout_ms) override {
    ready_.clear();
    int left = ::poll(polled_.data(), polled_.size(), timeout_ms);
    if (left < 0 && errno != EINTR) throw_errno("poll");
    for (auto entry = polled_.begin(); left > 0; ++entry) {
      if (entry->revents == 0) continue;
      const int fd = entry->fd;
      ready_.push(fd);
      // poll(2) ignores a negative descriptor. Requesting no events is not enough, because it
      // reports errors and hang-ups all the same.
      if (entries_[fd].once) entry->fd = ~fd;
      --left;
    }
    return ready_.fds();
  }

 private:
  struct Entry {
    std::size_t place = 0;  ///< in polled_
    bool once = false;
  };

  pollfd& polled(int fd) { return polled_[entries_[fd].place]; }

  void append(int fd, Interest interest, bool once) {
    ready_.make_room(polled_.size() + 1);
    entries_[fd] = {.place = polled_.size(), .once = once};
    polled_.push_back({.fd = fd, .events = events_of(interest), .revents = 0});
  }

  std::vector<pollfd> polled_;
  FdMap<Entry> entries_;
  ReadyList ready_;
};

}  // namespace

extern const Backend poll_backend{
    .name = "poll",
    .summary = "poll(2): hands the whole list over with every call; no limit on descriptors",
    .probe = probe_poller<PollPoller>,
    .serve = serve_with<PollPoller>,
    .make_poller = make_poller<PollPoller>,
};

}  // namespace muxlab
