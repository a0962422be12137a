#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <vector>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/ready_list.hpp"
#include "backends/parts/timer_fd.hpp"
#include "backends/reactor.hpp"

namespace muxlab {
namespace {

/// Reports all sockets as ready, each time, without asking the kernel. Non-blocking calls on every
/// one then find out. This is the oldest way of serving many clients; the mechanisms save these
/// calls.
///
/// Other descriptors, a flag or a timer, are trusted when reported, and no call tries them. So
/// poll(2) checks those few once per millisecond.
class BlindPoller final : public Poller {
 public:
  void add(int fd, Interest /*interest*/) override {
    Place& place = places_[fd];
    place.is_socket = is_socket(fd);
    ready_.make_room(sockets_.size() + others_.size() + 1);
    if (place.is_socket) {
      place.index = sockets_.size();
      sockets_.push_back(fd);
    } else {
      place.index = others_.size();
      others_.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    }
  }

  void modify(int /*fd*/, Interest /*interest*/) override {}

  /// Moves the last entry into the gap.
  void remove(int fd) override {
    const Place place = places_[fd];
    if (place.is_socket) {
      const int last = sockets_.back();
      sockets_[place.index] = last;
      places_[last].index = place.index;
      sockets_.pop_back();
    } else {
      const pollfd last = others_.back();
      others_[place.index] = last;
      places_[last.fd].index = place.index;
      others_.pop_back();
    }
  }

  std::span<const int> wait(int /*timeout_ms*/) override {
    ready_.clear();
    for (const int fd : sockets_) ready_.push(fd);
    if (const auto now = TimerFd::now(); now >= next_look_) {
      next_look_ = now + std::chrono::milliseconds(1);
      look_at_others();
    }
    return ready_.fds();
  }

 private:
  struct Place {
    std::size_t index = 0;  ///< in sockets_ or in others_
    bool is_socket = false;
  };

  static bool is_socket(int fd) {
    struct stat status {};
    checked(::fstat(fd, &status), "fstat");
    return S_ISSOCK(status.st_mode);
  }

  void look_at_others() {
    if (::poll(others_.data(), others_.size(), 0) < 0 && errno != EINTR) throw_errno("poll");
    for (const pollfd& other : others_) {
      if (other.revents != 0) ready_.push(other.fd);
    }
  }

  std::vector<int> sockets_;
  std::vector<pollfd> others_;
  FdMap<Place> places_;
  ReadyList ready_;
  TimerFd::Duration next_look_{0};
};

}  // namespace

extern const Backend blind_scan_backend{
    .name = "blind-scan",
    .summary = "control, the ceiling: never waits, and tries every connection each time",
    .probe = probe_poller<BlindPoller>,
    .serve = serve_with<BlindPoller>,
    .spins = true,
    // Per ready connection it receives once from every connection.
    .calls = std::nullopt,
};

}  // namespace muxlab
