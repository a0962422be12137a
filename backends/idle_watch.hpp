#pragma once

#include <chrono>
#include <optional>

#include "backends/idle_list.hpp"
#include "backends/poller.hpp"
#include "backends/timer_fd.hpp"

namespace muxlab {

/// Closes what is silent for too long, on a loop over a Poller. Of the loop's thread.
class IdleWatch {
 public:
  using Duration = IdleList::Duration;

  /// Does nothing for a `timeout` of zero.
  explicit IdleWatch(Duration timeout) {
    if (timeout.count() > 0) idle_.emplace(timeout);
  }

  /// Has `poller` wait for the timer from now on. Throws std::system_error.
  void begin(Poller& poller) {
    if (!idle_) return;
    note_time();
    timer_.fire_every(idle_->tick());
    poller.add(timer_.fd(), Interest::read);
  }

  /// To be called after each wait, before touch(): the clock is read once for all that is ready.
  void note_time() {
    if (idle_) idle_->advance_to(TimerFd::now());
  }

  /// `fd` is new, or something happened on it. Throws std::bad_alloc when it is new.
  void touch(int fd) {
    if (idle_) idle_->touch(fd);
  }
  void remove(int fd) {
    if (idle_) idle_->remove(fd);
  }

  /// What is readable when close_due() is due: after the rest of the turn, for what is ready in the
  /// same turn is not idle.
  [[nodiscard]] int fd() const { return timer_.fd(); }

  /// Calls `close` with the descriptors that are due, which it closes or touches, as many as fit in
  /// one turn.
  template <typename Close>
  void close_due(Poller& poller, Close close) {
    if (idle_->close_due(close)) {
      poller.modify(timer_.fd(), Interest::read);  // reports it again, edge-triggered or not
    } else {
      timer_.clear();
    }
  }

 private:
  std::optional<IdleList> idle_;
  TimerFd timer_;
};

}  // namespace muxlab
