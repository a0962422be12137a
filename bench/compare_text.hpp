#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/compare_folders.hpp"

namespace muxlab {

/// A line per point and verdict, what was left out and why, and at the end the answer. The cautions
/// are not in it: they belong on stderr.
std::string comparison_text(const FolderComparison& both);

/// The same, for programs. Its keys are published: added to, never changed.
nlohmann::ordered_json comparison_json(const FolderComparison& both);

}  // namespace muxlab
