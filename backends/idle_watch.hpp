#pragma once

#include <chrono>
#include <optional>

#include "backends/parts/idle_list.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab {

/// Finds connections that were silent for the time-out. Owns the timer that the loop waits for.
/// Used by the loop's thread only.
class IdleWatch {
 public:
  using Duration = IdleList::Duration;

  /// Does nothing for a `timeout` of zero.
  explicit IdleWatch(Duration timeout) {
    if (timeout.count() > 0) idle_.emplace(timeout);
  }

  /// There is a time-out: fd() is to be waited for.
  [[nodiscard]] bool is_on() const { return idle_.has_value(); }

  /// Starts the timer. Throws std::system_error.
  void begin() {
    if (!idle_) return;
    note_time();
    timer_.fire_every(idle_->tick());
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
  /// one turn. False when there may be more: fd() is still readable, and to be reported again.
  template <typename Close>
  bool close_due(Close close) {
    if (idle_->close_due(close)) return false;
    timer_.clear();
    return true;
  }

 private:
  std::optional<IdleList> idle_;
  TimerFd timer_;
};

}  // namespace muxlab
