#pragma once

#include <chrono>
#include <cstdint>

#include "backends/parts/fd_map.hpp"
#include "backends/parts/send_progress.hpp"

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

}  // namespace muxlab
