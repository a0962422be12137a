#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "bench/experiment.hpp"
#include "bench/trial_metrics.hpp"

namespace muxlab {

/// The server at one moment: what it says of itself, and what the kernel says of its threads.
struct ServerSample {
  nlohmann::ordered_json counters;
  std::optional<double> runqueue_wait_ns;  ///< of all its threads since each began
};

/// How long the threads of `pid` were ready to run without a processor, from /proc (the second
/// field of schedstat). Nothing for a process of so many threads that asking would disturb it, or
/// where the kernel does not tell.
std::optional<double> runqueue_wait_ns(pid_t pid);

/// Fills in the server's share of `metrics` from the two ends of the timed window. Throws
/// nlohmann::json::exception when a sample lacks a counter.
void add_server_metrics(Metrics& metrics, const ServerSample& begin, const ServerSample& end,
                        const Cell& cell, std::uint64_t size_bytes, std::size_t processors);

/// Fills in the client's share of `metrics` from the report of `muxlab load --json`. Throws
/// nlohmann::json::exception when it lacks a key.
void add_client_metrics(Metrics& metrics, const nlohmann::ordered_json& report,
                        std::size_t processors);

}  // namespace muxlab
