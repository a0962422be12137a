#include "bench/quiet_phase.hpp"

#include <poll.h>

#include <algorithm>

namespace muxlab {

std::chrono::nanoseconds await_quiet_phase(const std::function<double()>& canary, double fast_ns,
                                           std::chrono::nanoseconds patience, int interrupt) {
  constexpr std::chrono::nanoseconds kPause = std::chrono::milliseconds(50);
  const auto begin = std::chrono::steady_clock::now();
  const auto waited = [&] {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin);
  };
  while (canary() > fast_ns && waited() < patience) {
    const auto pause = std::min(kPause, patience - waited());
    pollfd interrupted{.fd = interrupt, .events = POLLIN, .revents = 0};
    const auto pause_ms = std::chrono::ceil<std::chrono::milliseconds>(pause).count();
    if (::poll(&interrupted, 1, static_cast<int>(std::max<std::int64_t>(pause_ms, 0))) > 0) break;
  }
  return waited();
}

}  // namespace muxlab
