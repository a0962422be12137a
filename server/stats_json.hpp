#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "backends/backend.hpp"

namespace muxlab {

/// Returns the counters now, summed and per thread, with the CPU time of the whole process and the
/// time of reading (CLOCK_MONOTONIC). This is the format of `muxlab serve --stats`; README names
/// its keys. Subtract two snapshots to get the activity between them.
///
/// `events` counts the descriptors and completions that waiting returned. `call_ns` exists only
/// where calls are timed: the time in system calls by kind, and as `clock` the time for reading the
/// clock. Its accuracy: backends/counting/call_observer.hpp. `cpu_ns` is of the whole process. It
/// includes `kernel_threads_cpu_ns`, which is null where unknown.
nlohmann::ordered_json stats_json(std::span<const WorkerStats> threads);

/// Returns the keys for reading the counters. `calls_per_echo` holds the predicted calls
/// (backends/backend.hpp), or null without a prediction. `spins` is true when the process
/// busy-waits, so that its CPU time is no cost.
nlohmann::ordered_json reading_json(const Backend& backend, const ServeOptions& options);

}  // namespace muxlab
