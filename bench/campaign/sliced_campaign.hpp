#pragma once

#include "backends/failure.hpp"
#include "bench/campaign/sliced_plan.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

/// Measures every load of `plan`, or what a folder that is resumed lacks, and leaves in its folder
/// machine.json from the start, records.csv and slices.csv after each rig, and what
/// render_answer() makes of them. The answer goes to stdout, as one JSON object if `as_json`, all
/// else to stderr.
///
/// SIGINT and SIGTERM end it at once: the rig under way is dropped, the others are kept and
/// reported. Returns untrusted for broken slices, contenders that failed, and a precision that was
/// asked for and not reached. Throws Failure when the folder cannot be written.
ExitCode run_sliced_campaign(const SlicedPlan& plan, bool as_json);

}  // namespace muxlab
