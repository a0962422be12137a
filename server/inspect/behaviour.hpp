#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "server/cli/text_layout.hpp"

/// `muxlab inspect behaviour`: what each way of waiting reports in each state of a descriptor, made
/// live on this kernel.
namespace muxlab::behaviour {

/// The whole of it (server/inspect/behaviour.schema.json). Takes a fraction of a second; ignores
/// SIGPIPE meanwhile. Throws Failure when the kernel does not come to a state, std::system_error
/// when there is no descriptor left.
nlohmann::ordered_json make_atlas();

/// The same for people: to read in a terminal, and as Markdown. What a column reports otherwise
/// than poll(2) is marked.
std::string atlas_text(const nlohmann::ordered_json& atlas, const TextLayout& layout);
std::string atlas_markdown(const nlohmann::ordered_json& atlas);

}  // namespace muxlab::behaviour
