#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "backends/worker_stats.hpp"

namespace muxlab {

/// The counters now, summed and per thread, with the CPU time of the whole process and the clock
/// (CLOCK_MONOTONIC) that they were read at. The format of `muxlab serve --stats`; README names its
/// keys. The difference of two snapshots is what happened in between.
nlohmann::ordered_json stats_json(std::span<const WorkerStats> threads);

}  // namespace muxlab
