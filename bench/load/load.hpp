#pragma once

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "bench/load/dial.hpp"

namespace muxlab {

/// The distribution of the gaps between messages of an open loop.
enum class Gaps : std::uint8_t {
  poisson,  ///< exponential: as from many independent senders
  fixed,    ///< all equal
};

inline std::string_view gaps_name(Gaps gaps) { return gaps == Gaps::fixed ? "fixed" : "poisson"; }

/// A depth, or a number of bytes, without limit.
inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// The options of `muxlab load`.
struct LoadOptions {
  std::string connect;                 ///< HOST:PORT, [IPV6]:PORT or unix:PATH
  std::optional<LoadTarget> target{};  ///< `connect`, resolved; nullopt: the run resolves it
  std::uint64_t connections = 1;       ///< connections that echo
  std::uint64_t idle = 0;              ///< additional connections, open and silent
  std::uint64_t size_bytes = 64;       ///< of one message
  /// Closed loop: messages in flight on each connection. Open loop: their maximum.
  std::uint64_t depth = 1;
  /// Closed loop: a connection is closed and replaced after so many echoes; nullopt: never.
  std::optional<std::uint64_t> churn;
  std::optional<std::uint64_t> rate;  ///< open loop: messages per second on all connections
  Gaps gaps = Gaps::poisson;          ///< open loop: between messages
  std::uint64_t seed = 0;             ///< open loop: for the gaps and the choice of connections
  std::uint64_t threads = 1;
  LoadEngine engine = LoadEngine::any;
  std::chrono::nanoseconds warmup = std::chrono::milliseconds{500};
  std::chrono::nanoseconds duration = std::chrono::seconds{5};
  /// Longest wait without progress while connecting.
  std::chrono::nanoseconds connect_patience = std::chrono::seconds{10};
  /// Longest wait without progress for the last echoes.
  std::chrono::nanoseconds grace = std::chrono::seconds{2};
  std::optional<std::string> oracle;  ///< the board of an `oracle` server to report messages to
  int interrupt = -1;  ///< borrowed; the run ends early once it is readable; -1: none
  std::function<void()> on_window{};  ///< called when the window begins, if not empty
};

/// Returns the share of thread or process `index` of `count`. Shares differ by at most one.
inline std::uint64_t share_of(std::uint64_t total, std::uint64_t index, std::uint64_t count) {
  return total / count + (index < total % count ? 1 : 0);
}

/// Checks the options. Throws Failure (usage) that names the first invalid option and the reason.
void check_options(const LoadOptions& options);

/// Raises this process's soft limit of descriptors to the hard limit. Throws Failure (unavailable)
/// if the load needs more.
void reserve_descriptors(const LoadOptions& options);

/// The error message for --churn together with --rate.
inline constexpr const char* kChurnOrRate = "--churn is for a closed loop: leave out --rate";

/// The results of a run.
struct LoadReport {
  bool interrupted = false;
  LoadEngine engine = LoadEngine::any;    ///< that ran
  std::chrono::nanoseconds connecting{};  ///< until every connection had echoed once
  std::chrono::nanoseconds window{};      ///< measured length of the window; 0: it never began
  std::chrono::nanoseconds client_cpu{};  ///< of this process, all threads, during the window
  /// Time that runnable client threads waited for a CPU in the window; nullopt: unknown.
  std::optional<std::chrono::nanoseconds> runqueue_wait;
  LoadTally tally;
};

/// Opens the connections, waits for one echo on each, warms up, measures and closes.
///
/// Closed loop: a connection sends its next message when an echo is complete, so the load follows
/// the server. Open loop (with `rate`): the client sends messages when they are due, regardless of
/// the server. The client compares every received byte with the sent one. It counts a failed
/// connection and does not replace it, even with churn; the others continue.
///
/// Blocks until the end, runs `threads` threads, and raises the soft limit of descriptors. Throws
/// Failure: `usage` if options conflict, `failed` if the first echoes are wrong, else
/// `unavailable`: too few descriptors or ports, an unknown address, no connection, an engine that
/// does not work here, or no progress for `connect_patience` while connecting.
LoadReport run_load(const LoadOptions& options);

/// Returns the JSON of `muxlab load --json`. New versions only add keys; otherwise `schema_version`
/// increases. Unmeasured values are null, such as the latency without an echo.
nlohmann::ordered_json load_json(const LoadOptions& options, const LoadReport& report);

/// Returns the same as text: aligned lines with units.
std::string load_text(const LoadOptions& options, const LoadReport& report);

/// Returns the errors of the run in one line; empty if there were none.
std::string load_failure(const LoadReport& report);

/// Returns latency times throughput, divided by the messages that a closed loop keeps in flight: 1
/// by Little's law. Returns nullopt for an open loop, and with churn, because then nothing is in
/// flight between two connections.
std::optional<double> littles_law_ratio(const LoadOptions& options, const LoadReport& report);

/// Returns the reasons not to trust the figures, one line each; empty if there are none.
///
/// Open loop:
/// - No message was due.
/// - The server or this client did not keep up: more than 1 % of the due messages, and more than
///   10, were not back at the end of the window. Then the latencies grow with the window.
/// - This client sent late: the 99th percentile of its lag is above 50 us and above a quarter of
///   that of the latency. Then the latency is in good part the client's.
///
/// Closed loop:
/// - Little's law does not hold within 3 %, after correction for time outside the window:
///   connections failed or stalled, or this client counts wrongly.
/// - A message took more than a tenth of the window, 200 ms, and three times the mean: the server
///   stalled.
/// - Ports ran out, so there were fewer connections than requested.
std::vector<std::string> why_not_trusted(const LoadOptions& options, const LoadReport& report);

}  // namespace muxlab
