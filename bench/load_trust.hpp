#pragma once

#include <string>
#include <vector>

#include "bench/load.hpp"

namespace muxlab {

/// Why the figures of an open loop do not show the server at the load that was asked for, a line
/// each; empty when they do, and of a closed loop, which asks for none.
///
/// - The server, or this client, did not keep up: of the messages that were due, more than 1 % were
///   not back at the end of the window. Then the latencies tell how long the window was.
/// - This client sent late: with the 99th percentile of the lag above 50 us and above a quarter of
///   that of the latency, what is shown is in good part the client.
std::vector<std::string> why_not_trusted(const LoadOptions& options, const LoadReport& report);

}  // namespace muxlab
