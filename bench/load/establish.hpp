#pragma once

#include <chrono>
#include <cstdint>

#include "bench/load/connections.hpp"
#include "bench/load/dial.hpp"
#include "bench/load/timeline.hpp"

namespace muxlab {

/// Opened at once: so that neither an accept queue nor a list of half-open connections overflows.
inline constexpr std::uint64_t kMaxUnderWay = 256;
/// Well below the 14,000 that Linux gives away quickly of its 28,000 ports: connect(2) goes through
/// all the even ones before it tries an odd one.
inline constexpr std::uint64_t kMaxFromOneAddress = 10'000;
/// Messages of one connection that are likely to arrive at once.
inline constexpr std::uint64_t kManyInFlight = 16;

/// How connections are opened.
struct EstablishLimits {
  std::uint64_t under_way;            ///< at once, until each has echoed; 1 or more
  std::uint64_t active_bytes;         ///< that an active connection has to echo
  std::chrono::nanoseconds patience;  ///< to wait while nothing happens
};

/// Opens all of `connections` and has each echo once, so that the server is known to serve it: a
/// connection that only waits in an accept queue looks open from here. Idle ones echo one byte.
///
/// Counts those that fail and leaves them closed. Returns early when the timeline ends, and closes
/// those that have not echoed by then. Throws Failure (unavailable) when ports run out, or when
/// nothing happens for `patience`.
void establish(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
               const Timeline& timeline, const EstablishLimits& limits);

}  // namespace muxlab
