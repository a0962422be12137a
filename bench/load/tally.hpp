#pragma once

#include <array>
#include <numeric>
#include <string>
#include <string_view>

#include "bench/load/histogram.hpp"

namespace muxlab {

/// Adds the named members of `part` to those of `sum`.
template <typename Sum, typename... Members>
void add_members(Sum& sum, const Sum& part, Members... members) {
  ((sum.*members += part.*members), ...);
}

/// How a connection failed. A connection fails at most once.
enum class LoadError : std::uint8_t {
  connect,       ///< could not be opened
  reset,         ///< reset by the server
  closed,        ///< closed by the server
  mismatch,      ///< bytes came back that differ from those sent, or that were never sent
  timeout,       ///< no reply during the whole run
  unanswered,    ///< replied, but not to everything within the grace time after the run
  system,        ///< any other error of recv(2) or send(2)
  conservation,  ///< bytes sent are not bytes received plus bytes missing: a bug in this client
};

inline constexpr std::array<std::string_view, 8> kLoadErrorNames = {
    "connect", "reset", "closed", "mismatch", "timeout", "unanswered", "system", "conservation"};

/// Counts failed connections by error.
class LoadErrors {
 public:
  void add(LoadError error) { ++counts_[static_cast<std::size_t>(error)]; }
  void merge(const LoadErrors& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] std::uint64_t of(LoadError error) const {
    return counts_[static_cast<std::size_t>(error)];
  }
  [[nodiscard]] std::uint64_t total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  }

 private:
  std::array<std::uint64_t, kLoadErrorNames.size()> counts_{};
};

/// The counts of one thread; merged, those of all threads.
struct LoadTally {
  std::uint64_t established = 0;  ///< connections that echoed once, idle ones included
  std::uint64_t echoes = 0;       ///< completed inside the window
  /// Closed loop: of these echoes, and of messages in flight when the window ended. Open loop: of
  /// the messages due inside the window, since they were due.
  Histogram latency_ns;
  std::int64_t latency_outside_ns = 0;  ///< closed loop: see run_closed_loop()
  Histogram first_echo_ns;              ///< churn: first echoes, which latency_ns does not include
  std::uint64_t closed = 0;             ///< churn: by us and then by the server, inside the window
  std::uint64_t closed_in_all = 0;      ///< churn: the same during the whole run
  std::uint64_t without_port = 0;       ///< churn: connections that had to wait for a port
  std::uint64_t without_backlog = 0;    ///< churn: that had to wait for room in a Unix backlog
  Histogram latency_from_send_ns;       ///< open loop: of the same messages, since they were sent
  Histogram send_lag_ns;         ///< open loop: from the due time until the loop handled them
  std::uint64_t offered = 0;     ///< open loop: messages due inside the window
  std::uint64_t unsent = 0;      ///< of these: too many were pending, or no connection was left
  std::uint64_t unanswered = 0;  ///< of these: accepted for sending, but never echoed
  /// Of the active connections open at the end: their number, the sum of the messages that each
  /// completed since it was opened, and the sum of the squares.
  double shares = 0;
  double share_sum = 0;
  double share_square_sum = 0;
  std::uint64_t bytes_sent = 0;      ///< these three during the whole run
  std::uint64_t bytes_received = 0;  ///< found correct
  std::uint64_t bytes_missing = 0;   ///< sent, but not back when their connection was closed
  LoadErrors errors;
  std::string first_error;  ///< one line; empty if there was none

  void merge(const LoadTally& other) {
    using T = LoadTally;
    add_members(*this, other, &T::established, &T::echoes, &T::latency_outside_ns, &T::closed,
                &T::closed_in_all, &T::without_port, &T::without_backlog, &T::offered, &T::unsent,
                &T::unanswered, &T::shares, &T::share_sum, &T::share_square_sum, &T::bytes_sent,
                &T::bytes_received, &T::bytes_missing);
    latency_ns.merge(other.latency_ns);
    first_echo_ns.merge(other.first_echo_ns);
    latency_from_send_ns.merge(other.latency_from_send_ns);
    send_lag_ns.merge(other.send_lag_ns);
    errors.merge(other.errors);
    if (first_error.empty()) first_error = other.first_error;
  }
};

}  // namespace muxlab
