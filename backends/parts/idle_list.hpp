#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "backends/parts/fd_map.hpp"
#include "backends/parts/send_progress.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab {

/// Finds connections that were silent for too long. Links the descriptors of a thread in the order
/// of their last activity, so the oldest is always first. Each step takes constant time.
///
/// Time goes in ticks, which the owner reports. A connection is due after the time-out, rounded up
/// to whole ticks, and at most one tick later. Several echoes within a tick cost one comparison
/// each.
///
/// A client that still receives bytes sent earlier is active, although the server makes no call. So
/// a due connection with unacknowledged bytes gets another time-out, until it is stuck:
/// SendProgress. Thread: one.
class IdleList {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit IdleList(Duration timeout) : tick_(tick_for(timeout)) {
    ticks_allowed_ = static_cast<std::uint32_t>((timeout + tick_ - Duration(1)) / tick_) + 1;
  }

  /// Returns how often to call advance_to(): an eighth of the time-out, at least 10 ms, at most 1
  /// s.
  [[nodiscard]] Duration tick() const { return tick_; }

  /// Sets the time: `now` since any fixed point on a clock that never jumps.
  void advance_to(Duration now) { now_ = static_cast<std::uint32_t>(now / tick_); }

  /// Records a new `fd`, or activity on it. Throws std::bad_alloc if it is new.
  void touch(int fd) {
    if (Entry& entry = entries_[fd]; entry.linked) {
      if (entry.last_tick == now_) return;
      unlink(fd);
    }
    append(fd);
  }

  /// Forgets `fd`, if recorded. Call it before the descriptor is closed.
  void remove(int fd) {
    if (Entry* entry = entries_.find(fd); entry != nullptr && entry->linked) unlink(fd);
  }

  /// Calls `close` with each due descriptor whose client receives nothing any more. `close` must
  /// call remove() or touch(). Handles at most kClosesPerTurn, so that other connections do not
  /// wait long. Returns true if there may be more, unlike IdleWatch::close_due().
  template <typename Close>
  bool close_due(Close close) {
    constexpr int kClosesPerTurn = 64;
    for (int closed = 0; closed < kClosesPerTurn; ++closed) {
      const int fd = due();
      if (fd < 0) return false;
      if (!still_receives(fd)) close(fd);
    }
    return true;
  }

  /// Returns a due descriptor, or -1. It is the same one until it is removed or touched.
  [[nodiscard]] int due() {
    const bool is_due = oldest_ >= 0 && now_ - entries_[oldest_].last_tick >= ticks_allowed_;
    return is_due ? oldest_ : -1;
  }

 private:
  struct Entry {
    std::int32_t older = -1;
    std::int32_t newer = -1;
    std::uint32_t last_tick = 0;
    bool linked = false;
    SendProgress progress = {};  ///< since the last activity
  };

  static Duration tick_for(Duration timeout);
  bool still_receives(int fd);
  void append(int fd);
  void unlink(int fd);

  Duration tick_;
  std::uint32_t ticks_allowed_ = 0;
  std::uint32_t now_ = 0;
  std::int32_t oldest_ = -1;
  std::int32_t newest_ = -1;
  FdMap<Entry> entries_;
};

/// Finds connections that were silent for the time-out. Owns the timer. Thread: the loop's.
class IdleWatch {
 public:
  using Duration = IdleList::Duration;

  /// With a zero `timeout` there is a timer, but it never fires, and no descriptor is recorded.
  explicit IdleWatch(Duration timeout) {
    if (timeout.count() > 0) idle_.emplace(timeout);
  }

  /// Returns true if there is a time-out: the loop must wait for fd().
  [[nodiscard]] bool is_on() const { return idle_.has_value(); }

  /// Starts the timer. Throws std::system_error.
  void begin() {
    if (!idle_) return;
    note_time();
    timer_.fire_every(idle_->tick());
  }

  /// Reads the clock once for all ready descriptors. Call it after each wait, before touch().
  void note_time() {
    if (idle_) idle_->advance_to(TimerFd::now());
  }

  /// Records a new `fd`, or activity on it. Throws std::bad_alloc if it is new.
  void touch(int fd) {
    if (idle_) idle_->touch(fd);
  }
  /// Forgets `fd`. Call it before the descriptor is closed.
  void remove(int fd) {
    if (idle_) idle_->remove(fd);
  }

  /// Returns the timer's descriptor, which this object keeps. When it is readable, call close_due()
  /// after the turn's other events: a connection that is ready in the same turn is not idle.
  [[nodiscard]] int fd() const { return timer_.fd(); }

  /// Calls `close` with due descriptors, as many as fit in one turn. `close` must call remove() or
  /// touch(). Returns false, unlike IdleList::close_due(), if there may be more: fd() is still
  /// readable and must be reported again. Requires is_on().
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
