#pragma once

#include "backends/counting/worker_stats.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/load.hpp"

namespace muxlab {

/// A command from the harness to a load process: keep the load running for `duration_ns` and, in a
/// closed loop, until connections have made `round_trips` on average. Then wait for all echoes.
struct SliceCommand {
  std::int64_t duration_ns;
  std::uint64_t round_trips;
};

/// The reply of a load process: one when all its connections have echoed, then one per command.
/// Sent as raw bytes, between processes of the same build. The counts of its histograms follow, in
/// packets of at most kCountsPerPacket.
struct SliceReply {
  std::uint64_t echoes = 0;  ///< bytes received / message size
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;  ///< found equal to those sent
  std::int64_t elapsed_ns = 0;       ///< from the first send to the last receive
  std::int64_t client_cpu_ns = 0;    ///< of the load process during elapsed_ns
  std::uint64_t opened = 0;          ///< new connections in the place of closed ones
  std::uint64_t unsent = 0;          ///< due messages not sent: too many pending, or no connection
  std::uint64_t delayed = 0;         ///< connections that had to wait for a port
  /// Over the open connections: their number, the sum of the echoes of each since it was opened,
  /// and the sum of the squares.
  double shares = 0, share_sum = 0, share_square_sum = 0;
  std::uint32_t latency_counts = 0;     ///< number of HistogramCount of latencies that follow
  std::uint32_t first_echo_counts = 0;  ///< number of HistogramCount of first echoes after them
  std::array<char, 200> broken{};       ///< reason why the load cannot continue, one line; or empty

  [[nodiscard]] bool is_broken() const { return broken[0] != '\0'; }
  void break_off(const std::string& reason);
};

struct HistogramCount {
  std::uint32_t bucket;
  std::uint32_t count;
};
inline constexpr std::size_t kCountsPerPacket = 4'096;

/// Latencies of several slices, without the first messages of each. In a closed loop these leave
/// all at once; in an open loop they are due in its first 10 ms (at most its first tenth).
struct SliceTimes {
  Histogram latency_ns;     ///< open loop: since the message was due
  Histogram first_echo_ns;  ///< of new connections, since connect(2)

  void clear() {
    latency_ns.clear();
    first_echo_ns.clear();
  }
  void merge(const SliceTimes& other) {
    latency_ns.merge(other.latency_ns);
    first_echo_ns.merge(other.first_echo_ns);
  }
};

/// One visit of the load to a server, from silence to silence: differences of exact counters.
struct Slice {
  std::uint64_t block = 0;
  std::size_t contender = 0;  ///< index among those of the rig
  double at_s = 0;            ///< its begin, since the rig was ready
  std::uint64_t echoes = 0;   ///< messages; equal on both sides, or broken
  std::uint64_t bytes = 0;    ///< echoed
  std::uint64_t cpu_ns = 0;   ///< of the server process, all its threads
  std::array<std::uint64_t, kCallNames.size()> calls{};    ///< of the server, by kind
  std::array<std::uint64_t, kCallNames.size()> call_ns{};  ///< time in these calls, with time_calls
  std::uint64_t clock_ns = 0;                              ///< time for reading the clock for that
  std::uint64_t events = 0;                                ///< reported by the server's waits
  std::int64_t elapsed_ns = 0;                             ///< of the load's loop
  std::int64_t client_cpu_ns = 0;
  std::uint64_t opened = 0;  ///< these three as in SliceReply
  std::uint64_t unsent = 0;
  std::uint64_t delayed = 0;
  double fairness = 0;  ///< Jain's index of the echoes of each connection; 0: unknown
  /// Percentiles; 0 if nothing was timed.
  std::uint64_t latency_ns_p50 = 0, latency_ns_p99 = 0;
  std::uint64_t first_echo_ns_p50 = 0, first_echo_ns_p99 = 0;
  std::string broken;  ///< reason why the slice does not count; empty: it counts

  [[nodiscard]] std::uint64_t p50() const { return latency_ns_p50; }
  [[nodiscard]] std::uint64_t p99() const { return latency_ns_p99; }
};

/// Opens the connections of `options`, waits for one echo on each, and then runs slices. For each
/// SliceCommand on `channel` (a SOCK_SEQPACKET socket, borrowed) it runs the closed or open loop
/// and sends a SliceReply. Returns when the other side closes the channel.
///
/// A slice begins and ends with nothing in flight. Every byte is compared with the sent one. If a
/// connection fails, or nothing arrives for options.grace, the reply gives the reason, and later
/// commands get the same reply. Throws Failure like run_load(), and (usage) for several threads.
void run_sliced_load(const LoadOptions& options, int channel);

}  // namespace muxlab
