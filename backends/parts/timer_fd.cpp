#include "backends/parts/timer_fd.hpp"

#include <sys/timerfd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

timespec to_timespec(TimerFd::Duration duration) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  return {.tv_sec = duration.count() / kSecondNs, .tv_nsec = duration.count() % kSecondNs};
}

}  // namespace

TimerFd::TimerFd()
    : timer_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
                     "timerfd_create")) {}

void TimerFd::set(Duration first, Duration interval) {
  // Zero would mean never.
  const itimerspec setting{.it_interval = to_timespec(interval),
                           .it_value = to_timespec(std::max(first, Duration(1)))};
  checked(::timerfd_settime(timer_.get(), 0, &setting, nullptr), "timerfd_settime");
}

bool TimerFd::clear() {
  std::uint64_t expirations = 0;
  return ::read(timer_.get(), &expirations, sizeof expirations) > 0;
}

TimerFd::Duration TimerFd::now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

}  // namespace muxlab
