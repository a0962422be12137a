#include "bench/data/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "backends/parts/failure.hpp"
#include "backends/parts/written_file.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

std::string message_of(int error) { return std::system_category().message(error); }

[[noreturn]] void fail_to_write(const Path& file, const std::string& why) {
  throw Failure(ExitCode::unavailable, fmt::format("cannot write {}: {}", file.string(), why));
}

[[noreturn]] void fail_to_read(const Path& file, const std::string& why) {
  throw Failure(ExitCode::usage, fmt::format("cannot read {}: {}", file.string(), why));
}

std::string_view kind_of(mode_t mode) {
  return S_ISDIR(mode)    ? "a folder"
         : S_ISLNK(mode)  ? "a symbolic link"
         : S_ISFIFO(mode) ? "a FIFO"
         : S_ISSOCK(mode) ? "a socket"
                          : "a device";
}

void check_replaceable(const Path& file, mode_t mode) {
  if (S_ISREG(mode)) return;
  fail_to_write(file,
                fmt::format("it is {}, which is never replaced: move it away", kind_of(mode)));
}

void sync_one(const Path& file, int flags) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags));
  // Some file systems do not support fsync(2) of folders.
  if (!fd || ::fsync(fd.get()) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS)
    return;
  fail_to_write(file, message_of(errno));
}

}  // namespace

void write_whole(const Path& file, std::string_view text) {
  struct stat before {};
  const bool exists = ::lstat(file.c_str(), &before) == 0;
  if (exists) check_replaceable(file, before.st_mode);
  TemporaryFile temporary(file, 0666);
  if (temporary.fd() < 0) fail_to_write(file, message_of(errno));
  if (exists) static_cast<void>(::fchmod(temporary.fd(), before.st_mode & 07777));
  if (!write_all(temporary.fd(), text) || !temporary.replace_target()) {
    fail_to_write(file, message_of(errno));
  }
}

void append_to(const Path& file, std::string_view text) {
  UniqueFd fd(::open(file.c_str(),
                     O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    const int error = errno;
    if (::lstat(file.c_str(), &status) == 0) check_replaceable(file, status.st_mode);
    fail_to_write(file, message_of(error));
  }
  check_replaceable(file, status.st_mode);
  if (!write_all(fd.get(), text) || ::close(fd.release()) != 0) {
    fail_to_write(file, message_of(errno));
  }
}

std::string read_whole(const Path& file, std::uint64_t most_bytes) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    fail_to_read(file, message_of(errno) + ": is it a file of a folder of results?");
  }
  if (!S_ISREG(status.st_mode)) {
    fail_to_read(file, fmt::format("it is {}: name a folder of results that has the file",
                                   kind_of(status.st_mode)));
  }
  const auto check_size = [&](std::uint64_t size) {
    if (size <= most_bytes) return;
    fail_to_read(file, fmt::format("it has {} bytes or more, and at most {} are read: muxlab did "
                                   "not write it",
                                   size, most_bytes));
  };
  check_size(static_cast<std::uint64_t>(status.st_size));
  std::string text;
  text.reserve(static_cast<std::size_t>(status.st_size));
  std::array<char, 1 << 16> chunk;
  for (;;) {
    const ssize_t size = ::read(fd.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail_to_read(file, message_of(errno));
    if (size == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(size));
    check_size(text.size());
  }
}

void sync_results(const Path& folder) {
  const Path parent = std::filesystem::absolute(folder / "..");
  for (const Path& one : {folder / "plots", folder}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(one, error)) {
      if (entry.symlink_status(error).type() == std::filesystem::file_type::regular) {
        sync_one(entry.path(), O_NONBLOCK);
      }
    }
    sync_one(one, O_DIRECTORY);
  }
  sync_one(parent, O_DIRECTORY);
}

}  // namespace muxlab
