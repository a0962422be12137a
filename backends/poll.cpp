#include <poll.h>

#include <cerrno>
#include <vector>

#include "backends/backend.hpp"
#include "backends/failure.hpp"
#include "backends/fd_map.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

short events_of(Interest interest) { return interest == Interest::read ? POLLIN : POLLOUT; }

/// poll(2): the whole list goes to the kernel and back with every call, but it has no bound.
class PollPoller final : public Poller {
 public:
  void add(int fd, Interest interest) override {
    places_[fd] = polled_.size();
    polled_.push_back({.fd = fd, .events = events_of(interest), .revents = 0});
  }

  void modify(int fd, Interest interest) override {
    polled_[places_[fd]].events = events_of(interest);
  }

  /// The last entry moves into the gap, so that the list stays dense.
  void remove(int fd) override {
    const std::size_t place = places_[fd];
    polled_[place] = polled_.back();
    places_[polled_[place].fd] = place;
    polled_.pop_back();
  }

  std::span<const int> wait() override {
    ready_.clear();
    int left = ::poll(polled_.data(), polled_.size(), -1);
    if (left < 0 && errno != EINTR) throw_errno("poll");
    for (auto entry = polled_.begin(); left > 0; ++entry) {
      if (entry->revents == 0) continue;
      ready_.push_back(entry->fd);
      --left;
    }
    return ready_;
  }

 private:
  std::vector<pollfd> polled_;
  FdMap<std::size_t> places_;  ///< where in polled_ a descriptor stands
  std::vector<int> ready_;
};

}  // namespace

extern const Backend poll_backend{
    .name = "poll",
    .summary = "poll(2): hands the whole list over with every call; no limit on descriptors",
    .probe = probe_poller<PollPoller>,
    .serve = serve_with<PollPoller>,
};

}  // namespace muxlab
