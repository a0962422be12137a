#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/load.hpp"

namespace muxlab {

/// What `muxlab load --json` writes. Keys are added to it, never changed; `schema_version` counts
/// up when that cannot be kept. What was not measured is null: with no echo there is no latency.
nlohmann::ordered_json load_json(const LoadOptions& options, const LoadReport& report);

/// The same for a reader: some aligned lines, each with its unit.
std::string load_text(const LoadOptions& options, const LoadReport& report);

/// What went wrong, in one line; empty when nothing did.
std::string load_failure(const LoadReport& report);

}  // namespace muxlab
