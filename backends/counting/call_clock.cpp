#include <algorithm>
#include <limits>

#include "backends/counting/call_observer.hpp"

namespace muxlab {
namespace {

/// Returns the least of a few means, because a disturbance only increases them.
CallClock measured_clock(clockid_t id) {
  constexpr int kMeans = 16;
  constexpr std::uint64_t kReadings = 256;
  CallClock clock{.id = id, .reading_ns = 0};
  std::uint64_t least_ns = std::numeric_limits<std::uint64_t>::max();
  for (int mean = 0; mean < kMeans; ++mean) {
    const std::uint64_t begin_ns = clock.now_ns();
    for (std::uint64_t reading = 1; reading < kReadings; ++reading) {
      static_cast<void>(clock.now_ns());
    }
    least_ns = std::min(least_ns, clock.now_ns() - begin_ns);
  }
  clock.reading_ns = least_ns / kReadings;
  return clock;
}

}  // namespace

CallClocks CallClocks::measured() {
  return {.monotonic = measured_clock(CLOCK_MONOTONIC),
          .thread_cpu = measured_clock(CLOCK_THREAD_CPUTIME_ID)};
}

}  // namespace muxlab
