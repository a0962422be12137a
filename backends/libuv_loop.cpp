#include "backends/libuv_loop.hpp"

#include <sys/eventfd.h>

#include <cassert>
#include <system_error>

#include "backends/parts/failure.hpp"
#include "backends/parts/shortage.hpp"
#include "backends/parts/timer_fd.hpp"

namespace muxlab::libuv {

void checked(int result, const char* call) {
  if (result < 0) throw std::system_error(-result, std::system_category(), call);
}

Loop::Loop() {
  constexpr std::size_t kMost = 6;  // a pipe for the process, one for the loop, two more
  require_descriptors(kMost);
  checked(uv_loop_init(&loop_), "uv_loop_init");
  // libuv opens a spare descriptor with its first stream. Open it now, while the server opens the
  // descriptors that it needs for itself.
  uv_tcp_init(&loop_, &first_stream_);
  uv_close(reinterpret_cast<uv_handle_t*>(&first_stream_), nullptr);
}

Loop::~Loop() {
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
      },
      nullptr);
  while (uv_run(&loop_, UV_RUN_DEFAULT) != 0) {  // a handle is closed by the loop, a turn later
  }
  [[maybe_unused]] const int result = uv_loop_close(&loop_);
  assert(result == 0);
}

Availability probe() try {
  const UniqueFd readable(muxlab::checked(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
  bool reported = false;
  uv_poll_t poll{};
  Loop loop;
  checked(uv_poll_init(loop.get(), &poll, readable.get()), "uv_poll_init");
  poll.data = &reported;
  checked(
      uv_poll_start(&poll, UV_READABLE,
                    [](uv_poll_t* handle, int, int) { *static_cast<bool*>(handle->data) = true; }),
      "uv_poll_start");
  uv_run(loop.get(), UV_RUN_NOWAIT);
  return reported ? Availability{}
                  : Availability::never("it does not report a readable descriptor", "");
} catch (const std::system_error& error) {
  return Availability::never(error);
}

std::uint64_t to_ms(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

void SourceWatch::wait_for(uv_loop_t* loop, int fd, uv_poll_cb callback) {
  bool waits = false;
  for (auto& [own, handle] : watched_) {
    if (own < 0 && !waits) {
      checked(uv_poll_init(loop, &handle, fd), "uv_poll_init");
      own = fd;
    }
    if (own == fd) {
      checked(uv_poll_start(&handle, UV_READABLE, callback), "uv_poll_start");
      waits = true;
    } else if (own >= 0) {
      uv_poll_stop(&handle);
    }
  }
  assert(waits);
}

void SourceWatch::close() {
  for (auto& [own, handle] : watched_) {
    if (own >= 0) uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
  }
}

IdleTimer::IdleTimer(std::chrono::nanoseconds timeout) {
  if (timeout.count() > 0) idle_.emplace(timeout);
}

void IdleTimer::begin(uv_loop_t* loop, Close close) {
  if (!idle_) return;
  close_ = close;
  uv_timer_init(loop, &timer_);
  uv_idle_init(loop, &no_wait_);
  uv_check_init(loop, &after_wait_);
  timer_.data = this;
  after_wait_.data = this;
  const std::uint64_t tick = to_ms(idle_->tick());
  uv_timer_start(
      &timer_,
      [](uv_timer_t* timer) {
        IdleTimer& self = of(timer->data);
        uv_idle_start(&self.no_wait_, [](uv_idle_t*) {});
        uv_check_start(&self.after_wait_, [](uv_check_t* check) { of(check->data).close_due(); });
      },
      tick, tick);
}

void IdleTimer::touch(int fd) {
  if (!idle_) return;
  idle_->advance_to(TimerFd::now());
  idle_->touch(fd);
}

void IdleTimer::close_due() {
  idle_->advance_to(TimerFd::now());
  if (idle_->close_due([this](int fd) { close_(timer_.loop->data, fd); })) return;
  uv_idle_stop(&no_wait_);
  uv_check_stop(&after_wait_);
}

}  // namespace muxlab::libuv
