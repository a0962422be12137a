#pragma once

#include <uv.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "backends/backend.hpp"
#include "backends/parts/idle_list.hpp"

/// Owners of libuv's loop and handles.
namespace muxlab::libuv {

/// Owns a loop. Its destructor closes the remaining handles, without a callback. They must outlive
/// the loop, so declare them before it.
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

/// Throws std::system_error if `result` is negative, as libuv returns errors.
void checked(int result, const char* call);

/// Makes a loop and waits with it.
Availability probe();

/// Rounds up to milliseconds, the resolution of libuv's timers.
std::uint64_t to_ms(std::chrono::nanoseconds duration);

/// Watches the current descriptor of a ConnectionSource. A libuv handle belongs to one descriptor
/// for life, so there are two: for the source's own descriptor and for its timer.
class SourceWatch {
 public:
  /// Watches `fd` from now on, and no other descriptor. Throws std::system_error.
  void wait_for(uv_loop_t* loop, int fd, uv_poll_cb callback);
  /// Closes both handles. They must outlive the loop.
  void close();

 private:
  struct Watched {
    int fd = -1;
    uv_poll_t handle{};
  };
  std::array<Watched, 2> watched_;
};

/// Closes idle connections. libuv calls timers before it handles ready descriptors, so this checks
/// for due connections after that. It closes some per turn, so that ten thousand at once do not
/// delay other connections.
class IdleTimer {
 public:
  /// Called with `loop->data` and a due descriptor, which it must close or touch.
  using Close = void (*)(void* server, int fd);

  explicit IdleTimer(std::chrono::nanoseconds timeout);

  /// Starts the timer. Does nothing without a time-out.
  void begin(uv_loop_t* loop, Close close);

  /// Records a new `fd`, or activity on it. Throws std::bad_alloc if it is new.
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
  uv_idle_t no_wait_{};  ///< while started, the loop does not wait
  uv_check_t after_wait_{};
};

}  // namespace muxlab::libuv
