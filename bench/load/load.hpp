#pragma once

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "bench/load/dial.hpp"

namespace muxlab {

/// How the gaps between the messages of an open loop are drawn.
enum class Gaps : std::uint8_t {
  poisson,  ///< exponential: as from many senders that know nothing of each other
  fixed,    ///< all the same
};

inline std::string_view gaps_name(Gaps gaps) { return gaps == Gaps::fixed ? "fixed" : "poisson"; }

/// A depth that is none.
inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// What `muxlab load` was asked for.
struct LoadOptions {
  std::string connect;                 ///< HOST:PORT, [IPV6]:PORT or unix:PATH
  std::optional<LoadTarget> target{};  ///< what that is; nothing: it is looked up
  std::uint64_t connections = 1;       ///< those that echo
  std::uint64_t idle = 0;              ///< those that are open and silent beside them
  std::uint64_t size_bytes = 64;       ///< of one message
  /// Messages that each connection keeps in flight; in an open loop, that it may have in flight.
  std::uint64_t depth = 1;
  /// Closed loop: echoes after which a connection is closed and another opened; nothing: never.
  std::optional<std::uint64_t> churn;
  std::optional<std::uint64_t> rate;  ///< open loop: messages per second of all connections
  Gaps gaps = Gaps::poisson;          ///< open loop: between one message and the next
  std::uint64_t seed = 0;             ///< open loop: of the gaps, and of who sends
  std::uint64_t threads = 1;
  LoadEngine engine = LoadEngine::any;
  std::chrono::nanoseconds warmup = std::chrono::milliseconds{500};
  std::chrono::nanoseconds duration = std::chrono::seconds{5};
  /// How long nothing at all may happen: while connecting, and while the last echoes are awaited.
  std::chrono::nanoseconds connect_patience = std::chrono::seconds{10};
  std::chrono::nanoseconds grace = std::chrono::seconds{2};
  std::optional<std::string> oracle;  ///< the board of a server that is told what is ready
  int interrupt = -1;  ///< borrowed; the run ends early once it is readable; -1: never
  std::function<void()> on_window{};  ///< called when the window begins, if not empty
};

/// The part of `total` that falls to one of `count` threads or processes when all get the same,
/// give or take one.
inline std::uint64_t share_of(std::uint64_t total, std::uint64_t index, std::uint64_t count) {
  return total / count + (index < total % count ? 1 : 0);
}

/// Throws Failure (usage) that names the first option that makes no sense, and why.
void check_options(const LoadOptions& options);

/// Raises this process's soft limit of descriptors to the hard one. Throws Failure (unavailable)
/// when the load needs more than that.
void reserve_descriptors(const LoadOptions& options);

/// Of a load that is asked to do both.
inline constexpr const char* kChurnOrRate = "--churn is for a closed loop: leave out --rate";

/// What was measured.
struct LoadReport {
  bool interrupted = false;
  LoadEngine engine = LoadEngine::any;    ///< that ran
  std::chrono::nanoseconds connecting{};  ///< until every connection had echoed once
  std::chrono::nanoseconds window{};      ///< as it was, not as it was asked for; 0: never begun
  std::chrono::nanoseconds client_cpu{};  ///< of this process, all threads, during the window
  /// How long its threads had no processor although they wanted one; nothing where it is not known.
  std::optional<std::chrono::nanoseconds> runqueue_wait;
  LoadTally tally;
};

/// Opens the connections, has each of them echo once, warms up, measures and closes.
///
/// Closed loop: a connection sends its next message when an echo is complete, so that the load
/// follows the server. Open loop, with a rate: messages are sent when they are due, whatever the
/// server does. Every byte that comes back is compared with the one sent. A connection that
/// fails is counted and given up, with churn too, and the run goes on with the others. Blocks until
/// the end; runs `threads` threads of its own and raises the process's soft limit of descriptors.
///
/// Throws Failure: `usage` when the options contradict each other, `unavailable` when the load
/// cannot be put on: descriptors or ports run out, the address is not known, no connection can be
/// had, the engine does not work here, or nothing happens for `connect_patience` while connecting.
LoadReport run_load(const LoadOptions& options);

/// What `muxlab load --json` writes. Keys are added to it, never changed; `schema_version` counts
/// up when that cannot be kept. What was not measured is null: with no echo there is no latency.
nlohmann::ordered_json load_json(const LoadOptions& options, const LoadReport& report);

/// The same for a reader: some aligned lines, each with its unit.
std::string load_text(const LoadOptions& options, const LoadReport& report);

/// What went wrong, in one line; empty when nothing did.
std::string load_failure(const LoadReport& report);

/// Latency times throughput, over the messages that a closed loop was to keep in flight: 1 by
/// Little's law. Nothing of an open loop, nor with churn, which has none in flight between two
/// connections.
std::optional<double> littles_law_ratio(const LoadOptions& options, const LoadReport& report);

/// Why the figures do not show the server at the load that was asked for, a line each; empty when
/// they do. Of an open loop:
///
/// - The server, or this client, did not keep up: of the messages that were due, more than 1 % were
///   not back at the end of the window. Then the latencies tell how long the window was.
/// - This client sent late: with the 99th percentile of the lag above 50 us and above a quarter of
///   that of the latency, what is shown is in good part the client.
///
/// Of a closed loop:
///
/// - Little's law does not hold within 3 %, not counting what lies outside the window: connections
///   failed, or stood still, or this client counts wrongly.
/// - A message took more than a tenth of the window, 200 ms at least, and thrice the mean: the
///   server stood still.
/// - Ports ran out, so that there were fewer connections than asked for.
std::vector<std::string> why_not_trusted(const LoadOptions& options, const LoadReport& report);

}  // namespace muxlab
