#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "backends/backend.hpp"

namespace muxlab {

/// The counters now, summed and per thread, with the CPU time of the whole process and the clock
/// (CLOCK_MONOTONIC) that they were read at. The format of `muxlab serve --stats`; README names its
/// keys. The difference of two snapshots is what happened in between.
///
/// `events` are the descriptors and completions that waiting brought. `call_ns`, the time in system
/// calls by kind and what reading the `clock` for it took, is there where calls are timed
/// (backends/counting/call_observer.hpp says how far to believe it). `kernel_threads_cpu_ns` is a
/// part of `cpu_ns`, the process's, which is what counts; null where it cannot be told.
nlohmann::ordered_json stats_json(std::span<const WorkerStats> threads);

/// The keys that tell how to read the counters of a server: `calls_per_echo`, what theory says of
/// them (backends/backend.hpp), null where it says nothing; and whether the process `spins`, so
/// that its CPU time is no cost.
nlohmann::ordered_json reading_json(const Backend& backend, const ServeOptions& options);

}  // namespace muxlab
