#include <unistd.h>

#include "tutorial/programs/libevent_handles.hpp"

/// event_timer_signal: timers and signals as events of libevent. Their callbacks are called by the
/// loop, between two waits, so they may do what any other code may do, printing too.
using namespace tutorial;

namespace {

constexpr timeval kInterval{.tv_sec = 0, .tv_usec = 10'000};

class Demo {
 public:
  explicit Demo(event_base* base)
      : once_(own(evtimer_new(base, call<&Demo::on_once>, this), "evtimer_new")),
        ticks_(own(event_new(base, -1, EV_PERSIST, call<&Demo::on_tick>, this), "event_new")),
        signal_(own(evsignal_new(base, SIGUSR1, call<&Demo::on_signal>, this), "evsignal_new")) {
    add(once_, &kInterval);
    add(signal_, nullptr);
  }

 private:
  static void add(const Owned<event>& event, const timeval* timeout) {
    require(event_add(event.get(), timeout), "event_add");
  }

  /// libevent calls a function with an argument: this makes a member function out of the two. An
  /// exception may not pass through libevent.
  template <void (Demo::*function)()>
  static void call(evutil_socket_t, short, void* self) noexcept {
    (static_cast<Demo*>(self)->*function)();
  }

  void on_once() {
    say("timer: once, and then it is not pending any more: {}",
        evtimer_pending(once_.get(), nullptr) == 0 ? "true" : "false");
    add(ticks_, &kInterval);
  }

  /// With EV_PERSIST it is added again by itself.
  void on_tick() {
    say("timer: tick {}", ++tick_);
    if (tick_ == 2) {
      say("tick 2 sends SIGUSR1 two times");
      for (int i = 0; i < 2; ++i) check(::kill(::getpid(), SIGUSR1), "kill");
      say("tick 2 goes on: no callback was called meanwhile");
      require(event_del(ticks_.get()), "event_del");
    }
  }

  /// libevent's handler writes a byte into a socket for each signal that was delivered, and that
  /// socket is what the loop waits for.
  void on_signal() {
    say("signal: callback {}", ++signals_);
    if (signals_ < 2) return;
    require(event_del(signal_.get()), "event_del");
    say("nothing is left to wait for, so the loop ends by itself");
  }

  Owned<event> once_, ticks_, signal_;
  int tick_ = 0;
  int signals_ = 0;
};

}  // namespace

int main() try {
  const auto base = own(event_base_new(), "event_base_new");
  Demo demo(base.get());
  require(event_base_dispatch(base.get()), "event_base_dispatch");
  say("event_base_dispatch() returned");
} catch (const std::exception& error) {
  fmt::print(stderr, "event_timer_signal: {}\n", error.what());
  return 1;
}
