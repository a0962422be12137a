#include "backends/libevent_idle.hpp"

#include <new>

#include "backends/parts/timer_fd.hpp"

namespace muxlab::libevent {

IdleTimer::IdleTimer(event_base* base, CallbackGuard& guard, std::chrono::nanoseconds timeout,
                     Close close, void* loop)
    : guard_(guard), close_(close), loop_(loop) {
  if (timeout.count() == 0) return;
  idle_.emplace(timeout);
  timer_.reset(event_new(
      base, -1, 0, [](int, short, void* timer) { static_cast<IdleTimer*>(timer)->guarded_fire(); },
      this));
  if (!timer_) throw std::bad_alloc();
  fire_after(idle_->tick());
}

void IdleTimer::touch(int fd) {
  if (!idle_) return;
  idle_->advance_to(TimerFd::now());
  idle_->touch(fd);
}

void IdleTimer::guarded_fire() {
  guard_.run([this] { fire(); }, [this] { event_base_loopbreak(event_get_base(timer_.get())); });
}

void IdleTimer::fire() {
  idle_->advance_to(TimerFd::now());
  const bool more = idle_->close_due([this](int fd) { close_(loop_, fd); });
  fire_after(more ? std::chrono::nanoseconds(0) : idle_->tick());
}

void IdleTimer::fire_after(std::chrono::nanoseconds delay) {
  const timeval wait = to_timeval(delay);
  if (event_add(timer_.get(), &wait) != 0) throw std::bad_alloc();
}

}  // namespace muxlab::libevent
