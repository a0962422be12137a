#pragma once

#include "backends/counting/worker_stats.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/load.hpp"

namespace muxlab {

/// What the harness asks of a load process: keep the load going for `duration_ns` and, in a closed
/// loop, until each connection has made `round_trips` on average; then let every message come home.
struct SliceCommand {
  std::int64_t duration_ns;
  std::uint64_t round_trips;
};

/// What a load process answers: once when all its connections have echoed, and then once per
/// command. Sent as it is, between processes of one build; behind it, in packets of at most
/// kCountsPerPacket, what its histograms counted.
struct SliceReply {
  std::uint64_t echoes = 0;  ///< messages that came back whole
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;  ///< and compared with those sent
  std::int64_t elapsed_ns = 0;       ///< from the first send to the last receive
  std::int64_t client_cpu_ns = 0;    ///< of the load process meanwhile
  std::uint64_t opened = 0;          ///< connections, in the place of those that were closed
  std::uint64_t unsent = 0;          ///< messages that were due, but too many were in flight
  std::uint64_t delayed = 0;         ///< connections that had to wait for a port
  /// Of the connections that stay: their number, of the echoes of each since it was opened the sum,
  /// and that of the squares.
  double shares = 0, share_sum = 0, share_square_sum = 0;
  std::uint32_t latency_counts = 0;     ///< packets' worth of HistogramCount that follow;
  std::uint32_t first_echo_counts = 0;  ///< and so many after them
  std::array<char, 200> broken{};       ///< why it cannot go on, one line; empty: it can

  [[nodiscard]] bool is_broken() const { return broken[0] != '\0'; }
  void break_off(const std::string& reason);
};

struct HistogramCount {
  std::uint32_t bucket;
  std::uint32_t count;
};
inline constexpr std::size_t kCountsPerPacket = 4'096;

/// How long things took in slices that are added up. Not in it are, of a closed loop, the first
/// messages of a slice, which all connections send at once; of an open one, those that were due in
/// its first hundredth of a second.
struct SliceTimes {
  Histogram latency_ns;     ///< of an open loop since the message was due
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
  std::size_t contender = 0;                             ///< among those of the rig
  double at_s = 0;                                       ///< when it began, since the rig was ready
  std::uint64_t echoes = 0;                              ///< messages, by both sides' count
  std::uint64_t bytes = 0;                               ///< echoed
  std::uint64_t cpu_ns = 0;                              ///< of the server process, all its threads
  std::array<std::uint64_t, kCallNames.size()> calls{};  ///< of the server, by kind
  std::array<std::uint64_t, kCallNames.size()> call_ns{};  ///< and in them, where they are timed
  std::uint64_t clock_ns = 0;                              ///< and for that
  std::uint64_t events = 0;                                ///< that the server's waits brought
  std::int64_t elapsed_ns = 0;                             ///< of the load's loop
  std::int64_t client_cpu_ns = 0;
  std::uint64_t opened = 0;  ///< as in SliceReply, these three
  std::uint64_t unsent = 0;
  std::uint64_t delayed = 0;
  double fairness = 0;  ///< Jain's index of the echoes of each connection; 0: not known
  /// Percentiles; 0 where nothing was timed.
  std::uint64_t latency_ns_p50 = 0, latency_ns_p99 = 0;
  std::uint64_t first_echo_ns_p50 = 0, first_echo_ns_p99 = 0;
  std::string broken;  ///< why it does not count; empty: it does

  [[nodiscard]] std::uint64_t p50() const { return latency_ns_p50; }
  [[nodiscard]] std::uint64_t p99() const { return latency_ns_p99; }
};

/// Opens the connections that `options` name, has each echo once, and then works in slices: for
/// each SliceCommand that arrives on `channel` (a socket that keeps packets apart, borrowed) it
/// runs the loop that the options ask for, closed or open, and answers with a SliceReply. Returns
/// when the other side closes the channel.
///
/// A slice begins and ends with nothing in flight. Every byte is compared with the one sent. When a
/// connection fails, or nothing arrives for options.grace, the reply says so and later commands get
/// the same reply. One thread. Throws Failure as run_load() does, for several threads too.
void run_sliced_load(const LoadOptions& options, int channel);

}  // namespace muxlab
