#pragma once

#include <chrono>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// A timer as a descriptor, timerfd_create(2), on the monotonic clock, which setting the date does
/// not affect. Making and setting it throws std::system_error if the kernel refuses.
class TimerFd {
 public:
  using Duration = std::chrono::nanoseconds;

  TimerFd();
  /// Returns the descriptor, which this object keeps.
  [[nodiscard]] int fd() const { return timer_.get(); }

  /// Makes it readable once after `delay`, at once for zero. Replaces the earlier setting.
  void fire_after(Duration delay) { set(delay, Duration(0)); }
  /// Makes it readable after each `interval`, which must not be zero.
  void fire_every(Duration interval) { set(interval, interval); }

  /// Reads it, so that it is not readable until it fires again. Returns false if it had not fired.
  bool clear();

  static Duration now();  ///< CLOCK_MONOTONIC

 private:
  void set(Duration first, Duration interval);

  UniqueFd timer_;
};

}  // namespace muxlab
