#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/load_loop.hpp"

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
class ClosedLoop final : public LoadLoop {
 public:
  ClosedLoop(LoadConnections& connections, const Timeline& timeline,
             const ClosedLoopOptions& options);

  /// Sends once the timeline has started, and returns when it has ended and everything in flight is
  /// back or given up.
  void run() { run_loop(); }

 private:
  void start() override;
  void on_received(LoadConnection& connection) override;
  std::int64_t* starts_of(const LoadConnection& connection);

  std::uint64_t depth_;
  std::vector<std::int64_t> starts_ns_;  // of each message in flight, `depth` per connection
};

}  // namespace muxlab
