#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "server/cli/text_layout.hpp"

/// The parts of `muxlab inspect` that tell what epoll, io_uring and libevent can do, and what this
/// machine is, for people.
namespace muxlab {

/// A value for people: texts without quotes, lists with blanks between, null as "unknown".
std::string show_value(const nlohmann::ordered_json& value);

/// Of all that inspect_machine() found.
std::string mechanisms_text(const nlohmann::ordered_json& found, const TextLayout& layout);
/// Of machine_card().
std::string machine_text(const nlohmann::ordered_json& card, const TextLayout& layout);

}  // namespace muxlab
