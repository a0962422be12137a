#pragma once

#include "backends/parts/failure.hpp"
#include "bench/campaign/sliced_plan.hpp"
#include "bench/rig/sides.hpp"

namespace muxlab {

/// Measures every load of `plan`, or what a folder that is resumed lacks, and leaves in its folder
/// machine.json from the start, records.csv and slices.csv after each rig, and what a Report makes
/// of them. The answer goes to stdout, as one JSON object if `as_json`, all else to stderr; what
/// stderr does not take is left out. Servers and loads are this very program, also when its file is
/// replaced or removed meanwhile.
///
/// SIGINT and SIGTERM end it at once: the rig under way is dropped, the others are kept and
/// reported, without pictures. While pictures are drawn they end the drawing alone, for the
/// campaign is complete by then. Returns untrusted for broken slices, contenders that failed, a
/// precision that was asked for and not reached, and pictures that cannot be drawn. Throws Failure
/// when the folder cannot be written, or when another process writes into it.
ExitCode run_sliced_campaign(const SlicedPlan& plan, bool as_json);

}  // namespace muxlab
