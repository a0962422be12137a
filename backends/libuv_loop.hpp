#pragma once

#include <uv.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "backends/backend.hpp"
#include "backends/parts/idle_list.hpp"

/// libuv's loop and handles as owners.
namespace muxlab::libuv {

/// A loop. When it ends it closes the handles that are left, without a callback, so these have to
/// outlive it: it is declared after them.
class Loop {
 public:
  Loop();  ///< Throws std::system_error.
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  uv_loop_t* get() { return &loop_; }

 private:
  uv_loop_t loop_{};
  uv_tcp_t first_stream_{};
};

/// Throws std::system_error for a negative `result`, as libuv returns errors.
void checked(int result, const char* call);

/// Really makes a loop and waits with it.
Availability probe();

/// Of the durations that it can wait for, the least that is not shorter.
std::uint64_t to_ms(std::chrono::nanoseconds duration);

/// Waits for what a ConnectionSource is to be waited for. A handle of libuv belongs to one
/// descriptor for good, so there is one for each that a source can have: its own and its timer.
class SourceWatch {
 public:
  /// Waits for `fd` from now on, and for nothing else. Throws std::system_error.
  void wait_for(uv_loop_t* loop, int fd, uv_poll_cb callback);
  void close();

 private:
  struct Watched {
    int fd = -1;
    uv_poll_t handle{};
  };
  std::array<Watched, 2> watched_;
};

/// Closes what is silent for too long. Due are connections only after the loop has looked at all
/// that is ready, for libuv has timers called before that; and it closes some of them, and looks
/// again, so that ten thousand at once hold nobody up.
class IdleTimer {
 public:
  /// Called with `loop->data` and a descriptor that is due, which it closes or touches.
  using Close = void (*)(void* server, int fd);

  explicit IdleTimer(std::chrono::nanoseconds timeout);

  /// Does nothing without a time-out. Throws std::system_error.
  void begin(uv_loop_t* loop, Close close);

  /// `fd` is new, or something happened on it. Throws std::bad_alloc when it is new.
  void touch(int fd);
  void remove(int fd) {
    if (idle_) idle_->remove(fd);
  }

 private:
  static IdleTimer& of(void* timer) { return *static_cast<IdleTimer*>(timer); }
  void close_due();

  Close close_ = nullptr;
  std::optional<IdleList> idle_;
  uv_timer_t timer_{};
  uv_idle_t no_wait_{};  ///< while it is started, the loop does not wait
  uv_check_t after_wait_{};
};

}  // namespace muxlab::libuv
