#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Temporary files and locks that muxlab makes beside a user's files have names that begin so. A
/// program that was killed may leave some; they count as nothing.
inline constexpr std::string_view kOwnPrefix = ".muxlab-";

/// What a path leads to, through links, that a user named for output.
enum class OutputKind : std::uint8_t {
  file,    ///< a regular file, there or not yet: to be replaced whole
  stream,  ///< a pipe, a terminal or another device: to be written as it stands
};

/// Looks at the value of `option` before there is something to lose, and changes nothing. Does not
/// wait for the reader of a pipe. Throws Failure: usage for a path that is empty or leads to
/// nothing, a folder, a socket or a disk; unavailable for one that this process must not write.
OutputKind output_kind(std::string_view option, const std::string& path);

/// Replaces the file with `text` in one step: at every moment a reader finds the old or the new one
/// whole, and so does a machine that comes back after a loss of power. Costs one fsync(2) of the
/// file, before rename(2), and one of its folder.
///
/// - The text goes to a temporary of its own in the same folder first, made with O_EXCL, which is
///   gone at the end: no other file is touched.
/// - Through a link it replaces the file that the link leads to, in that one's folder.
/// - The new file has the owner and the mode of the old one; one that must not be written stays.
/// - It is written in place, with one fsync(2), where it cannot be replaced: a pipe or a device, a
///   file with several names, of an owner that this process cannot give it, in a folder that takes
///   no new files, or that is a mount point.
///
/// Returns why it could not. Then the old text is still there, unless the file is written in place.
std::error_code replace_file(const std::filesystem::path& path, std::string_view text);

/// A new file in the folder of another one, made with O_EXCL; removed at the end unless it has
/// replaced that one.
class TemporaryFile {
 public:
  /// As open(2) has `mode`.
  TemporaryFile(const std::filesystem::path& target, int mode);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();

  /// -1, with errno, when none could be made.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// close(2) and rename(2), to be called once. False, with errno, when one of them fails.
  [[nodiscard]] bool replace_target();

 private:
  std::filesystem::path target_, path_;
  UniqueFd fd_;
};

/// Writes all of `text` with write(2). False, with errno, when a call fails.
bool write_all(int fd, std::string_view text);

}  // namespace muxlab
