#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "server/cli/text_layout.hpp"

/// `muxlab inspect behaviour`: the reports of each way of waiting for each state of a descriptor,
/// made live on this kernel.
namespace muxlab::behaviour {

/// Makes and watches every state, which takes a fraction of a second. Returns the JSON that
/// server/inspect/behaviour.schema.json describes. The process ignores SIGPIPE until the return.
/// Throws Failure when the kernel does not reach a state, std::system_error when no descriptor is
/// left.
nlohmann::ordered_json make_atlas();

/// Format the atlas for a terminal and as Markdown. Both mark reports whose meaning differs from
/// that of poll(2).
std::string atlas_text(const nlohmann::ordered_json& atlas, const TextLayout& layout);
std::string atlas_markdown(const nlohmann::ordered_json& atlas);

}  // namespace muxlab::behaviour
