#pragma once

#include <chrono>
#include <optional>

#include "bench/rig/sides.hpp"

namespace muxlab {

/// Waits until a server sleeps: `is_asleep()` says that no thread runs or waits for a processor,
/// and two readings with a nap between them are equal. Returns the second one; nothing when the
/// server does not sleep by `deadline`.
///
/// The threads are looked at before the reading that is returned. A thread that was pre-empted
/// before it counted something, and sleeps a moment later, would else be seen asleep beside a
/// reading that lacks what it counted.
template <typename IsAsleep, typename Read, typename Nap>
std::optional<Silence> await_silence(IsAsleep is_asleep, Read read, Nap nap, SteadyTime deadline) {
  Silence before = read();
  do {
    nap();
    const bool asleep = is_asleep();
    const Silence after = read();
    if (asleep && after == before) return after;
    before = after;
  } while (std::chrono::steady_clock::now() <= deadline);
  return std::nullopt;
}

}  // namespace muxlab
