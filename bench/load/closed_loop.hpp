#pragma once

#include <chrono>
#include <cstdint>

#include "bench/load/connections.hpp"
#include "bench/load/dial.hpp"
#include "bench/load/loop.hpp"

namespace muxlab {

/// What a closed loop sends, and how long it waits for the last of it.
struct ClosedLoopOptions {
  std::uint64_t size_bytes;
  std::uint64_t depth;             ///< messages that each connection keeps in flight
  std::uint64_t echoes;            ///< after which a connection is replaced; kNoLimit: never
  std::chrono::nanoseconds grace;  ///< to wait at the end while nothing comes
  /// It goes on where a slice before it ended: connections that were closed then are opened again.
  /// The first messages, which all leave at once, are not timed.
  bool goes_on = false;
};

/// Keeps `depth` messages in flight on each active connection: whenever one is back, it is timed
/// and the next one sent at once. Idle connections are watched, for whatever comes from them is
/// wrong.
///
/// A message's time runs from when it was due, which is when the one before it was back, to when
/// the bytes that completed it were taken in. Timed are all that were in flight inside the window,
/// those too that came back after its end, or, given up, never. So the times of a connection that
/// stays open leave no gap, and add up to the window's length, but for what lies outside it: the
/// beginning of those that were in flight when it began, and the rest of those that were when it
/// ended. That is tallied as latency_outside_ns, with which Little's law holds exactly, in a short
/// window too.
///
/// With churn, a connection whose last echo is back is ended by this side and then by the server,
/// and replaced. The first echo of a new one is timed from when connect(2) was first called.
///
/// Returns when the timeline has ended and everything in flight is back or given up. New
/// connections go to `target`, from `sources`.
void run_closed_loop(LoadConnections& connections, const Timeline& timeline,
                     const LoadTarget& target, SourceAddresses& sources,
                     const ClosedLoopOptions& options);
/// The same for a slice, as LoadLoop::run_slice(); `round_trips`: that each connection has made at
/// least, on average.
void run_closed_slice(LoadConnections& connections, const Timeline& timeline,
                      const LoadTarget& target, SourceAddresses& sources,
                      const ClosedLoopOptions& options, std::int64_t duration_ns,
                      std::uint64_t round_trips);

}  // namespace muxlab
