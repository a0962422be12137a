#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "backends/parts/fd_map.hpp"
#include "backends/parts/send_progress.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab {

/// Which connection was silent for too long: the descriptors of a thread, linked in the order of
/// their last activity, so that the oldest is always first. Each step takes constant time.
///
/// Time goes in ticks, which the owner tells it about. A connection is due at the first tick by
/// which it was certainly silent for the whole time-out, so between one time-out and one time-out
/// plus one tick after its last activity. Several echoes within a tick cost one comparison each.
///
/// A client that receives what was sent to it earlier is active too, without any call of the
/// server. So a connection that is due and has unacknowledged bytes is looked at again after
/// another time-out, until SendProgress finds it stuck.
class IdleList {
 public:
  using Duration = std::chrono::nanoseconds;

  explicit IdleList(Duration timeout) : tick_(tick_for(timeout)) {
    ticks_allowed_ = static_cast<std::uint32_t>((timeout + tick_ - Duration(1)) / tick_) + 1;
  }

  /// How often to call advance_to(): an eighth of the time-out, within 10 ms and one second.
  [[nodiscard]] Duration tick() const { return tick_; }

  /// `now` since any fixed point on a clock that never jumps.
  void advance_to(Duration now) { now_ = static_cast<std::uint32_t>(now / tick_); }

  /// `fd` is new, or something happened on it.
  void touch(int fd) {
    if (Entry& entry = entries_[fd]; entry.linked) {
      if (entry.last_tick == now_) return;
      unlink(fd);
    }
    append(fd);
  }

  void remove(int fd) {
    if (Entry* entry = entries_.find(fd); entry != nullptr && entry->linked) unlink(fd);
  }

  /// Calls `close` with each descriptor that is due and whose client receives nothing any more, and
  /// `close` removes or touches it; but never so many at once that others wait long. True when
  /// there may be more.
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

  /// A descriptor that is due, or -1. The same one until it is removed or touched.
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
