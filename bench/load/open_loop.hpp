#pragma once

#include <chrono>
#include <cstdint>

#include "bench/load/arrivals.hpp"
#include "bench/load/loop.hpp"

namespace muxlab {

/// What an open loop sends, and how long it waits for the last of it.
struct OpenLoopOptions {
  std::uint64_t size_bytes;
  std::uint64_t depth;  ///< messages that a connection may have in flight
  double per_s;         ///< messages per second of this loop
  Gaps gaps;
  std::uint64_t seed;
  std::uint64_t share;  ///< this loop's number among the `shares` of the run
  std::uint64_t shares;
  std::chrono::nanoseconds grace;  ///< to wait at the end while nothing comes
};

/// Sends each message when it is due, on a connection drawn at random, whatever became of those
/// before it. So a server that stalls does not stall the load, and what is due meanwhile waits as
/// long as it would in life: in the socket or, on a connection that has as many in flight as it may
/// have, here.
///
/// A message's latency runs from when it was due to when the receive that completed it returned.
/// Beside it are recorded the latency from when it was really sent, which is what one sees who
/// waits for the server before measuring, and the lag from when it was due until this loop came to
/// it, which is the client's own share. All three are of the messages that were due inside the
/// window, also when they came back after it.
///
/// Returns when the timeline has ended and everything in flight is back or given up.
void run_open_loop(LoadConnections& connections, const Timeline& timeline,
                   const OpenLoopOptions& options);
/// The same for a slice, as LoadLoop::run_slice().
void run_open_slice(LoadConnections& connections, const Timeline& timeline,
                    const OpenLoopOptions& options, std::int64_t duration_ns);

}  // namespace muxlab
