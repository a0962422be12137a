#pragma once

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/experiment.hpp"
#include "bench/trial_metrics.hpp"

namespace muxlab {

/// What a child printed is not what the harness understands; one line.
struct ForeignReport : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What theory says of the calls of one echo of the server's; those that wait, per event.
struct ExpectedCalls {
  double events = 0;
  double without_waits = 0;
};

/// The server at one moment: what it says of itself, and what the kernel says of its threads.
struct ServerSample {
  double monotonic_ns = 0;
  double cpu_ns = 0;
  double bytes_out = 0;
  std::array<double, 6> syscalls{};        ///< wait, read, write, ctl, accept, other
  std::optional<double> runqueue_wait_ns;  ///< of all its threads since each began
  double echoes = 0;                       ///< times that it sent back what one receive brought
  double events = 0;                       ///< brought by calls that wait
  /// In calls that wait, read, write and change what is waited for, and for reading the clocks;
  /// when calls are timed.
  std::optional<std::array<double, 5>> call_ns;
  std::optional<ExpectedCalls> expected;  ///< where theory says something
  bool spins = false;                     ///< its CPU time is no cost
};

/// From the line of JSON that `muxlab serve --stats -` prints. Throws ForeignReport.
ServerSample parse_server_sample(std::string_view line);

/// Fills in the server's share of `metrics` from the two ends of the timed window.
void add_server_metrics(Metrics& metrics, const ServerSample& begin, const ServerSample& end,
                        const Cell& cell, std::size_t processors);

/// Fills in the client's share of `metrics` from what `muxlab load --json` prints, and returns its
/// what it says against itself. Throws ForeignReport.
struct ClientVerdict {
  std::string errors_by_kind;  ///< "{}" when there are none
  std::string doubts;          ///< why its figures are not to be trusted; empty: they are
};
ClientVerdict add_client_metrics(Metrics& metrics, std::string_view report, std::size_t processors);

}  // namespace muxlab
