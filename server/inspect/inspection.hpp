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

/// Returns the named backends, or all without names. Throws Failure (usage) for an unknown or a
/// repeated name.
std::vector<const Backend*> backends_named(std::span<const std::string> names);

/// Returns the output of `muxlab inspect --json` (server/inspect/inspect.schema.json). Constructs
/// each of `chosen`, then tries an echo on it; only constructs controls. Adds the feasibility of
/// `connections`. Reads /proc and /sys below `root`, but tries all features on this machine.
/// Raises the process's descriptor limit to the hard one. Requires a process with one thread.
/// Throws std::system_error, and Failure (unavailable) without a loopback address.
nlohmann::ordered_json inspect_machine(std::span<const Backend* const> chosen,
                                       const std::filesystem::path& root,
                                       std::optional<std::uint64_t> connections);

/// Formats a value for a terminal: strings without quotes, lists with blanks, null as "unknown".
std::string show_value(const nlohmann::ordered_json& value);

/// Formats the epoll, io_uring and libevent parts of inspect_machine().
std::string mechanisms_text(const nlohmann::ordered_json& found, const TextLayout& layout);
/// Formats a machine_card().
std::string machine_text(const nlohmann::ordered_json& card, const TextLayout& layout);

/// Format the result of inspect_machine(): in full, and in one line.
std::string inspection_text(const nlohmann::ordered_json& found, const TextLayout& layout);
std::string inspection_summary(const nlohmann::ordered_json& found);

}  // namespace muxlab
