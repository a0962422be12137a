#pragma once

#include <chrono>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// A timer as a descriptor to wait for, timerfd_create(2), on the monotonic clock: setting the date
/// does not touch it. Each call throws std::system_error when the kernel refuses.
class TimerFd {
 public:
  using Duration = std::chrono::nanoseconds;

  TimerFd();
  [[nodiscard]] int fd() const { return timer_.get(); }

  /// Readable once after `delay`; at once for a delay of zero. Replaces what was set before.
  void fire_after(Duration delay) { set(delay, Duration(0)); }
  /// Readable after each `interval`.
  void fire_every(Duration interval) { set(interval, interval); }

  /// Reads it, so that it is not readable until it fires again. False when it had not fired.
  bool clear();

  static Duration now();  ///< CLOCK_MONOTONIC

 private:
  void set(Duration first, Duration interval);

  UniqueFd timer_;
};

}  // namespace muxlab
