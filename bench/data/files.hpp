#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace muxlab {

/// A limit above the size of any file that a campaign writes and read_whole() reads.
inline constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

/// Replaces `file` with `text` atomically: a reader finds the old file or the new one. Keeps the
/// file's mode. Throws Failure (unavailable) when the file cannot be written, or is not a regular
/// file: folders, links and devices are never replaced.
void write_whole(const std::filesystem::path& file, std::string_view text);

/// Appends `text` to `file`; creates it if needed. A program that is killed meanwhile leaves a part
/// of `text`. Throws as write_whole() does.
void append_to(const std::filesystem::path& file, std::string_view text);

/// Returns the text of `file`. Throws Failure (usage) when it cannot be read, is not a regular file
/// or has more than `most_bytes`. Never waits for the writer of a FIFO.
std::string read_whole(const std::filesystem::path& file, std::uint64_t most_bytes = kMostBytes);

/// Flushes all files of `folder` and of its plots, and the folders, to disk: fsync(2) of each,
/// which takes a while. Call it once, after the last write; until then a power cut may lose any of
/// them. Throws Failure (unavailable) when fsync fails.
void sync_results(const std::filesystem::path& folder);

}  // namespace muxlab
