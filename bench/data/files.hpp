#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace muxlab {

/// More than any campaign writes into a file that is read as a whole.
inline constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

/// Replaces `file` with `text` in one step, so that a reader finds the old or the new one whole. It
/// keeps its mode. Throws Failure (unavailable) when it cannot be written, or is no regular file:
/// folders, links and devices are never replaced.
void write_whole(const std::filesystem::path& file, std::string_view text);

/// Appends `text` to `file`, which this makes if need be. A program that is killed meanwhile leaves
/// a part of it. Throws as write_whole() does.
void append_to(const std::filesystem::path& file, std::string_view text);

/// The text of `file`. Throws Failure (usage) when it cannot be read, is no regular file, or has
/// more than `most_bytes`. Never waits for a writer, as of a FIFO.
std::string read_whole(const std::filesystem::path& file, std::uint64_t most_bytes = kMostBytes);

/// Has the disk hold all files of `folder` and of its plots: fsync(2) of each, which takes a while,
/// and of the folders. To be called once when all are written; until then a power cut may take any
/// of them. Throws Failure (unavailable) when the disk cannot.
void sync_results(const std::filesystem::path& folder);

}  // namespace muxlab
