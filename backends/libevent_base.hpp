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

/// What the backends on libevent share: its objects as owners, and a base with a chosen method.
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

/// The methods that this libevent was built with. Read once: event_get_supported_methods() frees
/// the list that it returned before, so that two threads must not call it at once.
const std::vector<std::string>& methods();

/// The environment variable that disables a method, such as EVENT_NOEPOLL.
std::string switch_of(const std::string& method);
/// The one that has epoll's changes collected and handed over with the next wait. The base then
/// calls its method "epoll (with changelist)", and is not what was asked for.
inline constexpr const char* kChangelistSwitch = "EVENT_EPOLL_USE_CHANGELIST";

/// A base that waits with `method` ("select", "poll" or "epoll") and with nothing else, for use by
/// one thread. Throws Failure (unavailable) when this libevent has no such method, or when the
/// environment (EVENT_NOEPOLL and the like) disables it.
Base make_base(const std::string& method);

/// What a base takes: an epoll instance, a timer, and a pair for signals.
inline constexpr std::size_t kDescriptorsOfBase = 4;

/// While it lives libevent does not say on stderr what its callers get told anyway. Afterwards its
/// lines go through say_at_once(). For the process as a whole: while no other thread uses libevent.
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

/// Really makes such a base and waits with it. While no other thread uses libevent.
Availability probe(const std::string& method);

/// event_new(), persistent, and event_add(). Throws std::bad_alloc, the only thing that can be
/// lacking.
Event watch(event_base* base, int fd, short events, event_callback_fn callback, void* argument);

timeval to_timeval(std::chrono::nanoseconds duration);

/// A base and its loop, whose callbacks are member functions of `Owner`, which outlives it. Used by
/// one thread.
template <typename Owner>
class Loop {
 public:
  /// Throws as make_base() does.
  Loop(const std::string& method, Owner& owner) : owner_(owner), base_(make_base(method)) {}

  [[nodiscard]] event_base* base() const { return base_.get(); }
  [[nodiscard]] CallbackGuard& guard() { return guard_; }

  /// Calls `kStep` with `fd` each time that it is readable. Throws std::bad_alloc.
  template <void (Owner::*kStep)(int fd)>
  Event watch(int fd) {
    return libevent::watch(base(), fd, EV_READ, call<kStep>, this);
  }

  /// Runs until end(), or end_after() so much time. Throws what a callback threw, and
  /// std::system_error when the loop fails.
  void run() {
    const int result = event_base_dispatch(base());
    guard_.rethrow();
    if (result < 0) throw_errno("event_base_dispatch");
  }
  void end() { event_base_loopbreak(base()); }
  void end_after(std::chrono::nanoseconds delay) {
    // libevent counts from when it last woke, on a clock that is a tick of the kernel behind.
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
