#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Returns the nanoseconds of CLOCK_MONOTONIC.
std::int64_t monotonic_ns();

/// Returns the CPU time of this process, of all its threads.
std::int64_t process_cpu_ns();

/// The stages of a run, shared by its threads: connect, send, measure, wait for the last echoes.
///
/// Thread: the conductor calls the functions of the second group, in this order. Each other thread
/// calls arrive() once and polls started() and ended(). No thread reads these two descriptors, so
/// they stay readable.
class Timeline {
 public:
  /// Event ids of started() and ended(); the other ids are indexes of connections.
  static constexpr std::uint64_t kStarted = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint64_t kEnded = kStarted - 1;

  Timeline();

  /// Returns a descriptor, readable once the connections may send.
  [[nodiscard]] int started() const { return started_.get(); }
  /// Returns the time of start(). Messages due since then count, even if a thread sees it later.
  [[nodiscard]] std::int64_t started_ns() const {
    return started_ns_.load(std::memory_order_relaxed);
  }
  /// Returns a descriptor, readable once no thread may start another message.
  [[nodiscard]] int ended() const { return ended_.get(); }
  /// Reports to the conductor that a thread has `established` connections, and that this is final.
  void arrive(std::uint64_t established);
  /// Returns true if `now_ns` is inside the window.
  [[nodiscard]] bool measures(std::int64_t now_ns) const {
    return now_ns >= begin_ns_.load(std::memory_order_relaxed) &&
           now_ns < end_ns_.load(std::memory_order_relaxed);
  }
  /// Returns the part of the time from `from_ns` to `to_ns` inside the window. Before
  /// begin_window() it is 0; before end_window() the window counts as open-ended.
  [[nodiscard]] std::int64_t inside(std::int64_t from_ns, std::int64_t to_ns) const {
    const std::int64_t begin_ns = std::max(from_ns, begin_ns_.load(std::memory_order_relaxed));
    const std::int64_t end_ns = std::min(to_ns, end_ns_.load(std::memory_order_relaxed));
    return std::max<std::int64_t>(end_ns - begin_ns, 0);
  }

  /// Waits until `threads` have arrived. Returns false if the run ended early, like pause().
  [[nodiscard]] bool await_arrivals(std::uint64_t threads, int interrupt) const;
  /// Returns the number of connections of all threads that have arrived.
  [[nodiscard]] std::uint64_t established() const { return established_; }
  void start();
  void begin_window(std::int64_t now_ns) { begin_ns_.store(now_ns, std::memory_order_relaxed); }
  void end_window(std::int64_t now_ns) { end_ns_.store(now_ns, std::memory_order_relaxed); }
  /// Ends the run. Thread: any, more than once.
  void end();

  /// Waits for `duration`. Returns false if `interrupt` (a descriptor, or -1) became readable, or a
  /// thread called end(), before that.
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
