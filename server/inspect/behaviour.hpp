#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "server/cli/text_layout.hpp"

/// `muxlab inspect behaviour`: the reports of each way of waiting for each state of a descriptor,
/// made live on this kernel.
namespace muxlab::behaviour {

/// Makes and watches every state, which takes a fraction of a second. Returns the format of
/// server/inspect/behaviour.schema.json. The process ignores SIGPIPE until the return.
/// Throws Failure when the kernel does not reach a state, std::system_error when no descriptor is
/// left.
nlohmann::ordered_json make_atlas();

/// Format the atlas for a terminal and as Markdown. They mark reports that differ from poll(2)'s.
std::string atlas_text(const nlohmann::ordered_json& atlas, const TextLayout& layout);
std::string atlas_markdown(const nlohmann::ordered_json& atlas);

}  // namespace muxlab::behaviour
