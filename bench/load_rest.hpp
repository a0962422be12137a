#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "bench/load_connections.hpp"
#include "bench/load_timeline.hpp"

namespace muxlab {

/// Hands on events until everything in flight is back, nothing has come for `grace`, or something
/// has come for ten times as long and yet not enough.
template <typename OnEvent>
void await_the_rest(LoadConnections& connections, std::chrono::nanoseconds grace,
                    OnEvent on_event) {
  constexpr int kMaxGraces = 10;
  const auto is_due = [](const LoadConnection& connection) {
    return connection.is_established && connection.fd && !connection.stream.is_quiet();
  };
  const std::int64_t last_ns = monotonic_ns() + kMaxGraces * grace.count();
  std::int64_t until_ns = monotonic_ns() + grace.count();
  while (std::ranges::any_of(connections.active(), is_due)) {
    const std::int64_t left_ns = std::min(until_ns, last_ns) - monotonic_ns();
    if (left_ns <= 0) return;
    const std::uint64_t before = connections.tally().bytes_received;
    for (const epoll_event& event : connections.wait(left_ns)) on_event(event);
    if (connections.tally().bytes_received != before) until_ns = monotonic_ns() + grace.count();
  }
}

/// Counts the connections that did not get back all they sent, and closes all.
inline void give_up_the_rest(LoadConnections& connections, std::uint64_t size_bytes) {
  for (LoadConnection& connection : connections.active()) {
    if (!connection.is_established || !connection.fd || connection.stream.is_quiet()) continue;
    // Each has completed the one message that it was established with.
    if (connection.stream.completed() > size_bytes) {
      connections.fail(connection, LoadError::unanswered, "not all that was sent came back");
    } else {
      connections.fail(connection, LoadError::timeout, "no reply during the whole run");
    }
  }
  connections.close_all();
}

}  // namespace muxlab
