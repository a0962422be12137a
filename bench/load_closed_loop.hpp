#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/load_connections.hpp"
#include "bench/load_timeline.hpp"

namespace muxlab {

/// What a closed loop sends, and how long it waits for the last of it.
struct ClosedLoopOptions {
  std::uint64_t size_bytes;
  std::uint64_t depth;             ///< messages that each connection keeps in flight
  std::chrono::nanoseconds grace;  ///< to wait at the end while nothing comes
};

/// Keeps `depth` messages in flight on each active connection: whenever one is back, it is timed
/// and the next one sent at once. Idle connections are watched, for whatever comes from them is
/// wrong.
///
/// A message's time runs from when it was due, which is when the one before it was back, to when
/// the receive that completed it returned.
class ClosedLoop {
 public:
  ClosedLoop(LoadConnections& connections, const Timeline& timeline,
             const ClosedLoopOptions& options);

  /// Sends once the timeline has started, and returns when it has ended and everything in flight is
  /// back or given up.
  void run();

 private:
  void on_event(const epoll_event& event);
  void on_readable(LoadConnection& connection);
  void start_all();
  std::int64_t& start_ns(const LoadConnection& connection);

  LoadConnections& connections_;
  const Timeline& timeline_;
  ClosedLoopOptions options_;
  bool is_sending_ = true;               // until the timeline has ended
  std::vector<std::int64_t> starts_ns_;  // of each message in flight, `depth` per connection
};

}  // namespace muxlab
