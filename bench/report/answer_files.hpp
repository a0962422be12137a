#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench/analysis/answer.hpp"

namespace muxlab {

/// What `bench --json` and `report --json` print; bench/report/answer.schema.json describes it.
/// `machine` is machine.json.
nlohmann::ordered_json answer_json(const Answer& answer, const nlohmann::ordered_json& machine);

/// Makes comparisons.csv, report.md, report.html and plots/ in `folder` from its records.csv and
/// machine.json, which stay as they are. The same records give the same bytes. Returns what they
/// say. Throws Failure: usage for files that are missing, broken or of another schema, before
/// anything is written; unavailable without gnuplot or without room, and each file is then the old
/// or the new one whole.
Answer render_answer(const std::filesystem::path& folder);

}  // namespace muxlab
