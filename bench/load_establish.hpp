#pragma once

#include <chrono>
#include <cstdint>

#include "bench/load_connections.hpp"
#include "bench/load_dial.hpp"
#include "bench/load_target.hpp"
#include "bench/load_timeline.hpp"

namespace muxlab {

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
