#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

/// Reads the small texts of /proc and /sys, proc(5). An unreadable or malformed value is null.
namespace muxlab::machine {

using Json = nlohmann::ordered_json;
using Path = std::filesystem::path;

std::string_view trim(std::string_view text);

/// Returns the trimmed text of a file; nothing if there is no such file or it is empty.
std::optional<std::string> read_text(const Path& file);
/// Returns the value of the first "key SEPARATOR value" line, as in /proc/cpuinfo or
/// /etc/os-release.
std::optional<std::string> value_in(const Path& file, std::string_view key, char separator);

Json number_of(std::string_view text);

Json text_of(const Path& file);
Json number_in(const Path& file);
Json text_in(const Path& file, std::string_view key, char separator);
/// "32768 60999" as [32768, 60999]: `count` numbers.
Json numbers_in(const Path& file, std::size_t count);
/// "reno cubic" as ["reno", "cubic"].
Json words_in(const Path& file);

}  // namespace muxlab::machine
