#pragma once

#include <chrono>
#include <vector>

namespace muxlab::exercise {

using Time = std::chrono::nanoseconds;  ///< since the beginning

/// One connection to a server, and the clock to time it with.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  [[nodiscard]] virtual Time now() const = 0;
  /// Sleeps until then; returns at once when that is over.
  virtual void sleep_until(Time then) = 0;
  /// Sends a request and waits for its answer.
  virtual void exchange() = 0;
};

/// Makes `count` requests, one every `interval` from time 0 on, and tells the latency of each: from
/// the moment at which it was due, for its user does not care what held it up, to its answer.
std::vector<Time> measure(Connection& connection, int count, Time interval);

}  // namespace muxlab::exercise
