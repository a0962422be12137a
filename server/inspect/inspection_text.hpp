#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "server/cli/text_layout.hpp"

namespace muxlab {

/// What inspect_machine() found, for people: all of it, and in one line.
std::string inspection_text(const nlohmann::ordered_json& found, const TextLayout& layout);
std::string inspection_summary(const nlohmann::ordered_json& found);

}  // namespace muxlab
