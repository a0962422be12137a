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

/// Every backend receives at most this much before it sends it back, and so holds at most this much
/// for a client that does not read.
inline constexpr std::size_t kBufferSize = std::size_t{16} * 1024;

/// What a thread lends to a backend; the backend owns nothing in it.
struct Worker {
  ConnectionSource& source;
  int stop;  ///< eventfd; readable for good once the server stops; never read
  const ServeOptions& options;
  WorkerStats& stats;

  /// Counts a connection of the source that is served from now on.
  void count_accepted() const { ++stats.accepted; }
  /// Call instead of count_accepted() when the connection was closed for lack of memory: counts it
  /// as refused and frees its place.
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

/// What a probe found out by really constructing the mechanism.
struct Availability {
  bool works = true;
  std::string reason;  ///< when it does not work: why
  std::string mend;    ///< and what would make it work
  /// The highest descriptor that it can wait for.
  int max_descriptor = std::numeric_limits<int>::max();
  /// How many connections it can serve, apart from descriptors.
  std::uint64_t max_connections = std::numeric_limits<std::uint64_t>::max();
  std::string bound_reason;  ///< why one of them is the bound

  static Availability never(std::string reason, std::string mend) {
    Availability found;
    found.works = false;
    found.reason = std::move(reason);
    found.mend = std::move(mend);
    return found;
  }
  /// A step of the probe failed: with the cure where shortage_of() knows one.
  static Availability never(const std::system_error& error);
  static Availability up_to(int max_descriptor, std::string reason) {
    Availability found;
    found.max_descriptor = max_descriptor;
    found.bound_reason = std::move(reason);
    return found;
  }
};

/// The system calls of one echo by theory, where an echo is what one receive brings. A call that
/// waits is shared by all the events that it brings, e of them, so that there are `events` / e of
/// those.
struct CallsPerEcho {
  double events = 1;
  double read = 1;
  double write = 1;
  double ctl = 0;
  double other = 0;
};

/// One way of waiting for I/O. A row of the registry.
struct Backend {
  std::string_view name;
  std::string_view summary;
  Availability (*probe)();
  /// Echoes on the calling thread, for every connection of the source, and closes those that are
  /// silent for options.idle_timeout. Once `stop` is readable it takes what still waits in the
  /// source and closes the source; of each connection it echoes what has come, ends its side of the
  /// stream, and takes in the rest unanswered until the client has ended its side. It returns when
  /// all are over, or after options.drain at the latest, with every connection closed. Throws
  /// std::system_error when the mechanism itself fails.
  void (*serve)(Worker&);
  /// The mechanism alone, for the threading model in which one thread waits and others serve; null
  /// where waiting cannot be separated from the rest.
  std::unique_ptr<OneShotPoller> (*make_poller)() = nullptr;
  /// It never sleeps: it goes on to look even when nothing happens.
  bool spins = false;
  /// Where a connection is served by the thread that waits for it. Nothing where that depends on
  /// more than how many events a wait brings.
  std::optional<CallsPerEcho> calls = CallsPerEcho{};
  /// The most memory that a connection takes in this process, that of a client that does not read
  /// included: one buffer, and what is noted of it.
  std::size_t connection_bytes = kBufferSize + 1024;
};

/// The backends that are compared, in the order in which they are listed and drawn.
std::span<const Backend* const> backends();

/// Controls, to measure the backends against: the least code that makes the same system calls, and
/// io-uring used in other ways.
std::span<const Backend* const> controls();

/// The backend or control of that name; null when there is none.
const Backend* find_backend(std::string_view name);

std::vector<std::string> names_of(std::span<const Backend* const> all);

}  // namespace muxlab
