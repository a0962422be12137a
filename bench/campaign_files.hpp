#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace muxlab {

/// Makes `folder` and what leads to it. Throws Failure (usage) when it holds anything already: a
/// campaign never mixes with or overwrites another.
void make_result_folder(const std::filesystem::path& folder);

/// Replaces `file` with `text` in one step, so that a reader finds the old or the new one whole.
/// Throws Failure (unavailable) when it cannot be written.
void write_whole(const std::filesystem::path& file, std::string_view text);

/// The text of `file`. Throws Failure (usage) when it cannot be read.
std::string read_whole(const std::filesystem::path& file);

}  // namespace muxlab
