#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/load.hpp"

namespace muxlab {

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
