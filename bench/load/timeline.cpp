#include "bench/load/timeline.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>

#include <array>
#include <cerrno>

#include "backends/parts/failure.hpp"

namespace muxlab {
namespace {

UniqueFd make_event() {
  return UniqueFd(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
}

void signal_event(int event) {
  if (::eventfd_write(event, 1) != 0) throw_errno("eventfd_write");
}

std::int64_t now_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

std::int64_t process_cpu_ns() { return now_ns(CLOCK_PROCESS_CPUTIME_ID); }

std::int64_t monotonic_ns() { return now_ns(CLOCK_MONOTONIC); }

Timeline::Timeline() : arrived_(make_event()), started_(make_event()), ended_(make_event()) {}

void Timeline::arrive(std::uint64_t established) {
  established_ += established;
  signal_event(arrived_.get());
}

bool Timeline::await_arrivals(std::uint64_t threads, int interrupt) const {
  std::array<pollfd, 3> events = {pollfd{arrived_.get(), POLLIN, 0}, pollfd{interrupt, POLLIN, 0},
                                  pollfd{ended(), POLLIN, 0}};
  std::uint64_t arrived = 0;
  while (arrived < threads) {
    if (::poll(events.data(), events.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw_errno("poll");
    }
    if (events[1].revents != 0 || events[2].revents != 0) return false;
    eventfd_t more = 0;
    if (::eventfd_read(arrived_.get(), &more) == 0) arrived += more;
  }
  return true;
}

void Timeline::start() {
  started_ns_.store(monotonic_ns(), std::memory_order_relaxed);
  signal_event(started_.get());
}

void Timeline::end() { signal_event(ended_.get()); }

bool Timeline::pause(std::chrono::nanoseconds duration, int interrupt) const {
  const std::int64_t until_ns = monotonic_ns() + duration.count();
  std::array<pollfd, 2> events = {pollfd{interrupt, POLLIN, 0}, pollfd{ended(), POLLIN, 0}};
  while (true) {
    const std::int64_t left_ns = std::max<std::int64_t>(until_ns - monotonic_ns(), 0);
    const timespec left{.tv_sec = left_ns / 1'000'000'000, .tv_nsec = left_ns % 1'000'000'000};
    const int ready = ::ppoll(events.data(), events.size(), &left, nullptr);
    if (ready == 0) return true;
    if (ready > 0) return false;
    if (errno != EINTR) throw_errno("ppoll");
  }
}

}  // namespace muxlab
