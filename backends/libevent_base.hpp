#pragma once

#include <event2/bufferevent.h>
#include <event2/event.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "backends/parts/callback_guard.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/idle_list.hpp"
#include "backends/parts/say.hpp"

/// Shared by the libevent backends: owners of libevent's objects, and a base with a chosen method.
namespace muxlab::libevent {

struct Free {
  void operator()(event_base* base) const { event_base_free(base); }
  void operator()(event_config* config) const { event_config_free(config); }
  void operator()(event* one) const { event_free(one); }
  void operator()(bufferevent* one) const { bufferevent_free(one); }
};
using Base = std::unique_ptr<event_base, Free>;
using Event = std::unique_ptr<event, Free>;
using Bufferevent = std::unique_ptr<bufferevent, Free>;

/// Returns the methods that this libevent was built with. They are read once, because
/// event_get_supported_methods() frees the list of its previous call and is not thread-safe.
const std::vector<std::string>& methods();

/// Returns the environment variable that disables a method, such as EVENT_NOEPOLL.
std::string switch_of(const std::string& method);
/// Environment variable that makes libevent batch epoll's changes until the next wait. The method
/// is then called "epoll (with changelist)", which make_base() rejects.
inline constexpr const char* kChangelistSwitch = "EVENT_EPOLL_USE_CHANGELIST";

/// Makes a base that waits with `method` only ("select", "poll" or "epoll"), for use by one thread.
/// Throws Failure (unavailable) if this libevent lacks the method or the environment disables it
/// (EVENT_NOEPOLL and others), and std::system_error if descriptors or memory are lacking.
Base make_base(const std::string& method);

/// Descriptors that a base uses: an epoll instance, a timer, and a pair for signals.
inline constexpr std::size_t kDescriptorsOfBase = 4;

/// Suppresses libevent's messages on stderr during its lifetime, because callers get the errors
/// anyway. Later messages go through say_at_once(). It affects the whole process: no other thread
/// may use libevent in the meantime.
class Silence {
 public:
  Silence() {
    ::event_set_log_callback([](int, const char*) {});
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    ::event_set_log_callback([](int, const char* line) { say_at_once("libevent: {}", line); });
  }
};

/// Makes a base with `method` and waits with it. Requires that no other thread uses libevent.
Availability probe(const std::string& method);

/// Makes and adds a persistent event, event_new() and event_add(). Throws std::bad_alloc.
Event watch(event_base* base, int fd, short events, event_callback_fn callback, void* argument);

timeval to_timeval(std::chrono::nanoseconds duration);

/// A base and its loop, whose callbacks are member functions of `Owner`. The owner must outlive it.
/// Used by one thread.
template <typename Owner>
class Loop {
 public:
  /// Throws as make_base() does.
  Loop(const std::string& method, Owner& owner) : owner_(owner), base_(make_base(method)) {}

  [[nodiscard]] event_base* base() const { return base_.get(); }
  [[nodiscard]] CallbackGuard& guard() { return guard_; }

  /// Calls `kStep` with `fd` whenever it is readable. Throws std::bad_alloc.
  template <void (Owner::*kStep)(int fd)>
  Event watch(int fd) {
    return libevent::watch(base(), fd, EV_READ, call<kStep>, this);
  }

  /// Runs until end(), or until the delay of end_after() has passed. Rethrows the exception of a
  /// callback. Throws std::system_error if the loop fails.
  void run() {
    const int result = event_base_dispatch(base());
    guard_.rethrow();
    if (result < 0) throw_errno("event_base_dispatch");
  }
  void end() { event_base_loopbreak(base()); }
  void end_after(std::chrono::nanoseconds delay) {
    // libevent counts from its last wake-up, on a clock that is up to one kernel tick behind.
    timespec tick{};
    ::clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    const timeval deadline = to_timeval(delay + std::chrono::nanoseconds(tick.tv_nsec));
    event_base_update_cache_time(base());
    event_base_loopexit(base(), &deadline);
  }

 private:
  template <void (Owner::*kStep)(int fd)>
  static void call(int fd, short /*events*/, void* loop) {
    Loop& self = *static_cast<Loop*>(loop);
    self.guard_.run([&] { (self.owner_.*kStep)(fd); }, [&] { self.end(); });
  }

  Owner& owner_;
  Base base_;
  CallbackGuard guard_;
};

/// Closes idle connections, on a loop of libevent.
///
/// libevent has a time-out for every event, but it handles all that are due in one turn. Closing
/// ten thousand at once would delay all other connections. So one timer closes some, and fires
/// again at once if more are due. Used by the loop's thread.
class IdleTimer {
 public:
  /// Called with `loop` and a due descriptor, which it must close or touch.
  using Close = void (*)(void* loop, int fd);

  /// Does nothing if `timeout` is zero. `guard` is the guard of the loop. Throws std::bad_alloc.
  IdleTimer(event_base* base, CallbackGuard& guard, std::chrono::nanoseconds timeout, Close close,
            void* loop);

  /// Records a new `fd`, or activity on it. Throws std::bad_alloc if it is new.
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
