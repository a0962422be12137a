#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "backends/worker_stats.hpp"

namespace muxlab {

/// What the harness asks of a load process: keep the closed loop going for `duration_ns`, and until
/// each connection has made `round_trips` on average; then let every message come home.
struct SliceCommand {
  std::int64_t duration_ns;
  std::uint64_t round_trips;
};

/// What a load process answers: once when all its connections have echoed, and then once per
/// command. Sent as it is, between processes of one build.
struct SliceReply {
  std::uint64_t echoes = 0;  ///< messages that came back whole
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;  ///< and compared with those sent
  std::int64_t elapsed_ns = 0;       ///< from the first send to the last receive
  std::int64_t client_cpu_ns = 0;    ///< of the load process meanwhile
  std::array<char, 200> broken{};    ///< why it cannot go on, one line; empty: it can

  [[nodiscard]] bool is_broken() const { return broken[0] != '\0'; }
  void break_off(const std::string& reason);
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
  std::uint64_t events = 0;                              ///< that the server's waits brought
  std::int64_t elapsed_ns = 0;                           ///< of the load's loop
  std::int64_t client_cpu_ns = 0;
  std::string broken;  ///< why it does not count; empty: it does
};

}  // namespace muxlab
