#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Prefix of the temporary files and locks that muxlab makes next to a user's files. A killed
/// program may leave some; muxlab ignores them.
inline constexpr std::string_view kOwnPrefix = ".muxlab-";

/// The kind of file that an output path leads to, through links.
enum class OutputKind : std::uint8_t {
  file,    ///< a regular file, existing or not: replaced whole
  stream,  ///< a pipe, a terminal or another device: written in place
};

/// Checks the value of `option` before there is something to lose, and changes nothing. Does not
/// wait for the reader of a pipe. Throws Failure: usage if the path is empty, a link to nothing, a
/// folder, a socket or a disk; unavailable if this process may not write it.
OutputKind output_kind(std::string_view option, const std::string& path);

/// Replaces the file with `text` in one step: a reader always finds the old or the new file whole,
/// even after a loss of power. Costs one fsync(2) of the file, before rename(2), and one of its
/// folder.
///
/// - The text first goes to a temporary file in the same folder, made with O_EXCL and gone at the
///   end. No other file is touched.
/// - A link stays. The file that it leads to is replaced, in that file's folder.
/// - The new file has the owner and the mode of the old one. A read-only file stays.
/// - A file that cannot be replaced is written in place, with one fsync(2): a pipe or a device, a
///   file with several names, of an owner that this process cannot set, in a folder that takes no
///   new files, or that is a mount point.
///
/// Returns the error, if any. The old text is then intact, unless the file is written in place.
std::error_code replace_file(const std::filesystem::path& path, std::string_view text);

/// A new file in the folder of `target`, made with O_EXCL; removed at the end unless it replaced
/// `target`.
class TemporaryFile {
 public:
  /// `mode` is as in open(2).
  TemporaryFile(const std::filesystem::path& target, int mode);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();

  /// Returns -1, with errno, if no file could be made.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Calls close(2) and rename(2); call it once. Returns false, with errno, if one of them fails.
  [[nodiscard]] bool replace_target();

 private:
  std::filesystem::path target_, path_;
  UniqueFd fd_;
};

/// Writes all of `text` with write(2). Returns false, with errno, if a call fails.
bool write_all(int fd, std::string_view text);

}  // namespace muxlab
