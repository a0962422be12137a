#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "server/cli/text_layout.hpp"

namespace muxlab {

/// The backends of those names, or all when there are none. Throws Failure (usage) for others.
std::vector<const Backend*> backends_named(std::span<const std::string> names);

/// Everything that `muxlab inspect --json` says (server/inspect/inspect.schema.json): each of
/// `chosen` is constructed and, where that worked, has a server echo; controls are only
/// constructed. With `connections` it says whether they can be had, too. /proc and /sys are read
/// below `root`; what is tried is tried on this machine. To be called while the process has one
/// thread; raises its descriptor limit to the hard one. Throws std::system_error, and Failure
/// (unavailable) where there is no loopback address.
nlohmann::ordered_json inspect_machine(std::span<const Backend* const> chosen,
                                       const std::filesystem::path& root,
                                       std::optional<std::uint64_t> connections);

/// A value for people: texts without quotes, lists with blanks between, null as "unknown".
std::string show_value(const nlohmann::ordered_json& value);

/// Of all that inspect_machine() found.
std::string mechanisms_text(const nlohmann::ordered_json& found, const TextLayout& layout);
/// Of machine_card().
std::string machine_text(const nlohmann::ordered_json& card, const TextLayout& layout);

/// What inspect_machine() found, for people: all of it, and in one line.
std::string inspection_text(const nlohmann::ordered_json& found, const TextLayout& layout);
std::string inspection_summary(const nlohmann::ordered_json& found);

}  // namespace muxlab
