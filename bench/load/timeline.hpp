#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Nanoseconds of CLOCK_MONOTONIC.
std::int64_t monotonic_ns();

/// CPU time of this process, all its threads, since it started.
std::int64_t process_cpu_ns();

/// The stages of a run, shared by its threads: connect, send, measure, await what is in flight.
///
/// One thread conducts: it calls the functions of the second group, in this order. The others each
/// call arrive() once and poll the descriptors, which are never read: they stay readable for good.
class Timeline {
 public:
  /// What the events of started() and ended() carry where connections carry their index.
  static constexpr std::uint64_t kStarted = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint64_t kEnded = kStarted - 1;

  Timeline();

  /// Readable once the connections may send.
  [[nodiscard]] int started() const { return started_.get(); }
  /// Since when they may: what was due meanwhile is late for who hears of it later.
  [[nodiscard]] std::int64_t started_ns() const {
    return started_ns_.load(std::memory_order_relaxed);
  }
  /// Readable once no message may be started any more.
  [[nodiscard]] int ended() const { return ended_.get(); }
  /// Tells the conductor that a thread has `established` connections and will get no more.
  void arrive(std::uint64_t established);
  /// Whether what happened at `now_ns` counts.
  [[nodiscard]] bool measures(std::int64_t now_ns) const {
    return now_ns >= begin_ns_.load(std::memory_order_relaxed) &&
           now_ns < end_ns_.load(std::memory_order_relaxed);
  }
  /// How much of the time from `from_ns` to `to_ns` lies inside the window, as far as that is
  /// known.
  [[nodiscard]] std::int64_t inside(std::int64_t from_ns, std::int64_t to_ns) const {
    const std::int64_t begin_ns = std::max(from_ns, begin_ns_.load(std::memory_order_relaxed));
    const std::int64_t end_ns = std::min(to_ns, end_ns_.load(std::memory_order_relaxed));
    return std::max<std::int64_t>(end_ns - begin_ns, 0);
  }

  /// Waits until `threads` have arrived; false when it ended early, like pause().
  [[nodiscard]] bool await_arrivals(std::uint64_t threads, int interrupt) const;
  /// The connections of all threads that have arrived.
  [[nodiscard]] std::uint64_t established() const { return established_; }
  void start();
  void begin_window(std::int64_t now_ns) { begin_ns_.store(now_ns, std::memory_order_relaxed); }
  void end_window(std::int64_t now_ns) { end_ns_.store(now_ns, std::memory_order_relaxed); }
  /// May be called by any thread, and more than once.
  void end();

  /// Waits for `duration`. False when `interrupt` (a descriptor, or -1) became readable or some
  /// thread called end() before.
  [[nodiscard]] bool pause(std::chrono::nanoseconds duration, int interrupt) const;

 private:
  static constexpr std::int64_t kNotYet = std::numeric_limits<std::int64_t>::max();

  UniqueFd arrived_;
  UniqueFd started_;
  UniqueFd ended_;
  std::atomic<std::uint64_t> established_ = 0;
  std::atomic<std::int64_t> started_ns_ = 0;
  std::atomic<std::int64_t> begin_ns_ = kNotYet;
  std::atomic<std::int64_t> end_ns_ = kNotYet;
};

}  // namespace muxlab
