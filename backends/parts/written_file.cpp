#include "backends/parts/written_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

namespace fs = std::filesystem;

constexpr int kForOwner = 0600;
constexpr int kAsTheUmaskSays = 0666;
constexpr mode_t kPermissions = 07777;

std::error_code last_error() { return {errno, std::generic_category()}; }

/// Returns zero or an errno. Checks the effective user, as open(2) does.
int why_no_access(const fs::path& path, int mode) {
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 ? 0 : errno;
}

fs::path folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return folder.empty() ? "." : folder;
}

bool write_and_sync(int file, std::string_view text) {
  if (!write_all(file, text)) return false;
  return ::fsync(file) == 0 || errno == EINVAL;  // a pipe or a device has no disk
}

std::error_code write_in_place(const fs::path& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return file && write_and_sync(file.get(), text) ? std::error_code() : last_error();
}

/// Copies the owner, then the mode, because changing the owner clears bits of the mode.
bool take_after(int file, const struct stat& old) {
  struct stat made {};
  if (::fstat(file, &made) != 0) return false;
  const bool same_owner = made.st_uid == old.st_uid && made.st_gid == old.st_gid;
  return (same_owner || ::fchown(file, old.st_uid, old.st_gid) == 0) &&
         ::fchmod(file, old.st_mode & kPermissions) == 0;
}

/// Returns false if the disk is full, for example: the old text would be lost.
bool may_be_written_in_place(const std::error_code& error) {
  for (const int one : {EACCES, EPERM, EBUSY, EROFS, EINVAL}) {
    if (error.value() == one) return true;
  }
  return false;
}

/// Makes `text` the file `target`; `old` is the existing file, or null.
std::error_code rename_over(const fs::path& target, const struct stat* old, std::string_view text) {
  TemporaryFile temporary(target, old != nullptr ? kForOwner : kAsTheUmaskSays);
  if (temporary.fd() < 0) return last_error();
  if (old != nullptr && !take_after(temporary.fd(), *old)) return last_error();
  if (!write_and_sync(temporary.fd(), text)) return last_error();
  if (!temporary.replace_target()) return last_error();
  const UniqueFd opened(::open(folder_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return !opened || ::fsync(opened.get()) == 0 || errno == EINVAL ? std::error_code()
                                                                  : last_error();
}

}  // namespace

TemporaryFile::TemporaryFile(const fs::path& target, int mode) : target_(target) {
  constexpr int kMostLeftBehind = 1000;  // by processes of the same number that were killed
  for (int i = 0; i < kMostLeftBehind && !fd_; ++i) {
    path_ = folder_of(target) / fmt::format("{}{}-{}.tmp", kOwnPrefix, ::getpid(), i);
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!fd_ && errno != EEXIST) break;
  }
  if (!fd_) path_.clear();
}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

bool TemporaryFile::replace_target() {
  if (::close(fd_.release()) != 0 || ::rename(path_.c_str(), target_.c_str()) != 0) return false;
  path_.clear();
  return true;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

OutputKind output_kind(std::string_view option, const std::string& path) {
  const auto refuse = [&](std::string_view why) {
    throw Failure(ExitCode::usage, fmt::format("{} {}", option, why));
  };
  const auto check = [&](int error) {
    if (error == 0) return;
    throw Failure(ExitCode::unavailable, fmt::format("cannot write {} {}: {}", option, path,
                                                     std::generic_category().message(error)));
  };
  if (path.empty()) refuse("is empty: name a file");
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno != ENOENT) check(errno);
    if (::lstat(path.c_str(), &found) == 0) refuse(path + " is a link to nothing: name a file");
    check(why_no_access(folder_of(path), W_OK | X_OK));
    return OutputKind::file;
  }
  if (S_ISDIR(found.st_mode)) refuse(path + " is a folder: name a file");
  if (S_ISSOCK(found.st_mode)) refuse(path + " is a socket: name a file");
  if (S_ISBLK(found.st_mode)) refuse(path + " is a disk: name a file");
  check(why_no_access(path, W_OK));
  return S_ISREG(found.st_mode) ? OutputKind::file : OutputKind::stream;
}

std::error_code replace_file(const std::filesystem::path& path, std::string_view text) {
  struct stat old {};
  if (::stat(path.c_str(), &old) != 0) {
    const std::error_code error = last_error();
    const bool leads_nowhere =
        ::lstat(path.c_str(), &old) == 0;  // a link, to nothing or in a circle
    if (error.value() != ENOENT || leads_nowhere) return error;
    return rename_over(path, nullptr, text);
  }
  if (const int error = why_no_access(path, W_OK)) return {error, std::generic_category()};
  std::error_code unknown;
  const fs::path target = fs::canonical(path, unknown);
  if (!S_ISREG(old.st_mode) || old.st_nlink > 1 || unknown) return write_in_place(path, text);
  const std::error_code error = rename_over(target, &old, text);
  return may_be_written_in_place(error) ? write_in_place(path, text) : error;
}

}  // namespace muxlab
