#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>

#include "backends/parts/failure.hpp"
#include "backends/parts/written_file.hpp"
#include "bench/campaign/sliced_campaign.hpp"
#include "bench/data/csv.hpp"
#include "bench/data/files.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

std::string lock_name() { return std::string(kOwnPrefix) + "lock"; }

[[noreturn]] void fail_to_make(const Path& folder, int error) {
  throw Failure(ExitCode::unavailable,
                fmt::format("cannot write the folder {}: {}", folder.string(),
                            std::system_category().message(error)));
}

[[noreturn]] void refuse_folder(const Path& folder, std::string_view what) {
  throw Failure(ExitCode::usage, fmt::format("--out {} {}: name a new folder, or muxlab report it "
                                             "if it holds results",
                                             folder.string(), what));
}

/// It writes its number as soon as it has the lock.
std::string holder_of(int file) {
  for (int tries = 0; tries < 100; ++tries) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(file, text.data(), text.size() - 1, 0);
    const std::string number(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (const std::size_t end = number.find('\n'); end != std::string::npos) {
      return number.substr(0, end);
    }
    const timespec nap{.tv_sec = 0, .tv_nsec = 1'000'000};
    ::nanosleep(&nap, nullptr);
  }
  return "of an unknown number";
}

bool is_at(int folder, const struct stat& file) {
  struct stat now {};
  return ::fstatat(folder, lock_name().c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
         now.st_dev == file.st_dev && now.st_ino == file.st_ino;
}

bool has_nothing(const Path& folder) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(folder, error);
  if (error) fail_to_make(folder, error.value());
  return std::all_of(begin(entries), end(entries), [](const auto& entry) {
    return entry.path().filename().string().starts_with(kOwnPrefix);
  });
}

/// Creates a temporary folder next to `folder`, to be renamed later. Returns nothing on errors.
Path make_sibling(const Path& folder) {
  for (int number = 0;; ++number) {
    Path name = folder.parent_path() / fmt::format("{}{}-{}", kOwnPrefix, ::getpid(), number);
    if (::mkdir(name.c_str(), 0777) == 0) return name;
    if (errno != EEXIST) return {};
  }
}

/// "results/", "." and a link stand for the folder itself.
Path settled(const Path& folder) {
  std::error_code error;
  Path whole = std::filesystem::weakly_canonical(folder, error);
  if (error) fail_to_make(folder, error.value());
  return whole.has_filename() ? whole : whole.parent_path();
}

constexpr const char* kSlices = "slices.csv";

}  // namespace

FolderLock::FolderLock(const Path& folder)
    : folder_(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (!folder_) fail_to_make(folder, errno);
  struct stat status {};
  do {
    file_ = UniqueFd(::openat(folder_.get(), lock_name().c_str(),
                              O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
    if (!file_ || ::fstat(file_.get(), &status) != 0) fail_to_make(folder, errno);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) fail_to_make(folder, errno);
      throw Failure(ExitCode::unavailable,
                    fmt::format("process {} measures into {}: wait until it has ended, or end it",
                                holder_of(file_.get()), folder.string()));
    }
  } while (!is_at(folder_.get(), status));  // its last holder has just removed it
  const std::string number = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), number.data(), number.size(), 0) < 0) {
    fail_to_make(folder, errno);
  }
}

FolderLock::~FolderLock() {
  if (file_) ::unlinkat(folder_.get(), lock_name().c_str(), 0);
}

FolderLock create_result_folder(const Path& asked, const std::function<void(const Path&)>& fill) {
  const Path folder = settled(asked);
  std::error_code error;
  struct stat before {};
  const bool exists = ::stat(folder.c_str(), &before) == 0;
  const bool is_taken = exists ? !S_ISDIR(before.st_mode) : ::lstat(folder.c_str(), &before) == 0;
  if (is_taken) refuse_folder(asked, "is no folder");
  if (exists && !has_nothing(folder)) refuse_folder(asked, "is not empty");
  std::filesystem::create_directories(folder.parent_path(), error);
  const Path temporary = make_sibling(folder);
  if (temporary.empty()) {
    if (!exists) fail_to_make(asked, errno);
  } else {
    try {
      FolderLock lock(temporary);
      fill(temporary);
      if (exists) static_cast<void>(::chmod(temporary.c_str(), before.st_mode & 07777));
      if (::rename(temporary.c_str(), folder.c_str()) == 0) return lock;
      const int reason = errno;
      if (!exists && (reason == EEXIST || reason == ENOTEMPTY))
        refuse_folder(asked, "is not empty");
      if (!exists) fail_to_make(asked, reason);
    } catch (...) {
      std::filesystem::remove_all(temporary, error);
      throw;
    }
    std::filesystem::remove_all(temporary, error);
  }
  FolderLock lock(folder);
  if (!has_nothing(folder)) refuse_folder(asked, "is not empty");
  fill(folder);
  return lock;
}

void append_slices(const std::filesystem::path& folder, std::size_t load, std::uint64_t rig,
                   std::span<const Contender> contenders, std::span<const Slice> slices) {
  const std::filesystem::path file = folder / kSlices;
  std::string text;
  if (!std::filesystem::exists(file)) {
    text =
        "load,rig,block,backend,at_s,echoes,cpu_ns,calls,events,elapsed_ns,client_cpu_ns,"
        "opened,latency_ns_p50,latency_ns_p99,first_echo_ns_p50,first_echo_ns_p99,broken\n";
  }
  for (const Slice& slice : slices) {
    std::uint64_t calls = 0;
    for (const std::uint64_t kind : slice.calls) calls += kind;
    text += csv_record(std::vector<std::string>{
        fmt::to_string(load), fmt::to_string(rig), fmt::to_string(slice.block),
        contenders[slice.contender].name, fmt::format("{:.4f}", slice.at_s),
        fmt::to_string(slice.echoes), fmt::to_string(slice.cpu_ns), fmt::to_string(calls),
        fmt::to_string(slice.events), fmt::to_string(slice.elapsed_ns),
        fmt::to_string(slice.client_cpu_ns), fmt::to_string(slice.opened),
        fmt::to_string(slice.latency_ns_p50), fmt::to_string(slice.latency_ns_p99),
        fmt::to_string(slice.first_echo_ns_p50), fmt::to_string(slice.first_echo_ns_p99),
        one_line(slice.broken)});
  }
  append_to(file, text);
}

void drop_unrecorded_slices(const std::filesystem::path& folder,
                            std::span<const std::uint64_t> rigs_of_load) {
  const std::filesystem::path file = folder / kSlices;
  if (std::filesystem::symlink_status(file).type() != std::filesystem::file_type::regular) return;
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 4096> line;
  std::uintmax_t kept_bytes = 0;
  bool is_header = true;
  // A last line without its end is not whole, and one that is longer is none of ours.
  while (stream.getline(line.data(), line.size()) && !stream.eof()) {
    std::size_t load = 0, rig = 0;
    const char* const end = line.data() + std::strlen(line.data());
    const auto first = std::from_chars(line.data(), end, load);
    const bool is_recorded = first.ec == std::errc{} && first.ptr != end &&
                             std::from_chars(first.ptr + 1, end, rig).ec == std::errc{} &&
                             load < rigs_of_load.size() && rig < rigs_of_load[load];
    if (!is_recorded && !is_header) break;
    is_header = false;
    kept_bytes += static_cast<std::uintmax_t>(stream.gcount());
  }
  std::error_code error;
  if (kept_bytes < std::filesystem::file_size(file)) {
    std::filesystem::resize_file(file, kept_bytes, error);
  }
  if (!error) return;
  throw Failure(ExitCode::unavailable,
                fmt::format("cannot write {}: {}", file.string(), error.message()));
}

}  // namespace muxlab
