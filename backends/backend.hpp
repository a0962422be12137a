#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "backends/connection_source.hpp"
#include "backends/counting/worker_stats.hpp"
#include "backends/poller.hpp"
#include "backends/serve_options.hpp"

namespace muxlab {

/// The most bytes that a backend receives before it sends them back. So it holds at most this much
/// for a client that does not read.
inline constexpr std::size_t kBufferSize = std::size_t{16} * 1024;

/// Everything that a thread lends to a backend. The backend owns none of it.
struct Worker {
  ConnectionSource& source;
  int stop;  ///< eventfd; readable from the moment the server stops; never read
  const ServeOptions& options;
  WorkerStats& stats;

  /// Counts a connection of the source that the backend begins to serve.
  void count_accepted() const { ++stats.accepted; }
  /// Counts a connection as refused and frees its place. Call instead of count_accepted() when the
  /// connection was closed for lack of memory.
  void refuse() const {
    ++stats.refused;
    source.give_back();
  }
  /// Counts a served connection as closed and frees its place.
  void close_done() const {
    ++stats.closed;
    source.give_back();
  }
  [[nodiscard]] std::uint64_t open() const { return stats.accepted.get() - stats.closed.get(); }
};

/// Result of Backend::probe, which constructs the mechanism to find out.
struct Availability {
  bool works = true;
  std::string reason;  ///< why it does not work
  std::string fix;     ///< how to make it work; may be empty
  /// The highest descriptor that it can wait for.
  int max_descriptor = std::numeric_limits<int>::max();
  /// The most connections that it can serve, descriptors apart.
  std::uint64_t max_connections = std::numeric_limits<std::uint64_t>::max();
  std::string bound_reason;  ///< why one of the two is lower than the maximum

  static Availability never(std::string reason, std::string fix) {
    Availability found;
    found.works = false;
    found.reason = std::move(reason);
    found.fix = std::move(fix);
    return found;
  }
  /// Reports a failed step of the probe, with the fix if shortage_of() knows one.
  static Availability never(const std::system_error& error);
  static Availability up_to(int max_descriptor, std::string reason) {
    Availability found;
    found.max_descriptor = max_descriptor;
    found.bound_reason = std::move(reason);
    return found;
  }
};

/// Expected system calls per echo. An echo is the data of one receive. A waiting call that reports
/// e events is shared by all of them, so an echo costs `events` / e such calls.
struct CallsPerEcho {
  double events = 1;
  double read = 1;
  double write = 1;
  double ctl = 0;
  double other = 0;
};

/// A way to wait for I/O; a row of the registry.
struct Backend {
  std::string_view name;
  std::string_view summary;
  Availability (*probe)();
  /// Echoes every connection of the source on the calling thread. Closes connections that are
  /// silent for options.idle_timeout. When `stop` becomes readable, it takes the connections that
  /// still wait in the source, closes the source, and drains each connection: it echoes the bytes
  /// already in the socket, half-closes it, and discards further input until the client closes its
  /// side. Returns when all connections are closed, after options.drain at the latest. Throws
  /// std::system_error if the mechanism itself fails.
  void (*serve)(Worker&);
  /// Makes the mechanism alone, for Threading::half_sync. Null if the backend does not support that
  /// model, for example because waiting cannot be separated from I/O.
  std::unique_ptr<OneShotPoller> (*make_poller)() = nullptr;
  /// True if it busy-polls and never sleeps.
  bool spins = false;
  /// For threading models in which the waiting thread also serves. Empty if the numbers depend on
  /// more than the events per wait.
  std::optional<CallsPerEcho> calls = CallsPerEcho{};
  /// The most memory that a connection takes in this process, in bytes: one buffer, which a client
  /// that does not read fills, and the records of the connection.
  std::size_t connection_bytes = kBufferSize + 1024;
};

/// Returns the compared backends, in the order of lists and plots.
std::span<const Backend* const> backends();

/// Returns the controls, against which the backends are measured, such as the least code that makes
/// the same system calls, and io-uring used in other ways.
std::span<const Backend* const> controls();

/// Returns the backend or control called `name`, or null.
const Backend* find_backend(std::string_view name);

std::vector<std::string> names_of(std::span<const Backend* const> all);

}  // namespace muxlab
