#pragma once

#include <event2/event.h>

#include <chrono>
#include <optional>

#include "backends/callback_guard.hpp"
#include "backends/libevent_base.hpp"
#include "backends/parts/idle_list.hpp"

namespace muxlab::libevent {

/// Closes what is silent for too long, on a loop of libevent.
///
/// libevent has a time-out for every event. But those that are due it handles all in one turn, and
/// ten thousand closed at once hold up everybody else; so there is one timer here, that closes some
/// and fires again at once when there are more. Of the loop's thread.
class IdleTimer {
 public:
  /// Called with `loop` and a descriptor that is due, which it closes or touches.
  using Close = void (*)(void* loop, int fd);

  /// Does nothing for a `timeout` of zero. `guard` is that of the loop. Throws std::bad_alloc.
  IdleTimer(event_base* base, CallbackGuard& guard, std::chrono::nanoseconds timeout, Close close,
            void* loop);

  /// `fd` is new, or something happened on it. Throws std::bad_alloc when it is new.
  void touch(int fd);
  void remove(int fd) {
    if (idle_) idle_->remove(fd);
  }

 private:
  void guarded_fire();
  void fire();
  void fire_after(std::chrono::nanoseconds delay);

  CallbackGuard& guard_;
  Close close_;
  void* loop_;
  std::optional<IdleList> idle_;
  Event timer_;
};

}  // namespace muxlab::libevent
