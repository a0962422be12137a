#include "bench/campaign_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

[[noreturn]] void fail_to_write(const std::filesystem::path& file, const std::error_code& error) {
  throw Failure(ExitCode::unavailable,
                fmt::format("cannot write {}: {}", file.string(), error.message()));
}

std::error_code last_error() { return {errno, std::system_category()}; }

}  // namespace

void make_result_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail_to_write(folder, error);
  if (!std::filesystem::is_empty(folder, error) || error) {
    throw Failure(ExitCode::usage, fmt::format("--out {} is not empty: name a new folder, or "
                                               "muxlab report it if it holds results",
                                               folder.string()));
  }
}

void write_whole(const std::filesystem::path& file, std::string_view text) {
  const std::filesystem::path temporary = file.string() + ".tmp";
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  std::error_code error;
  if (!stream) {
    const std::error_code reason = last_error();
    std::filesystem::remove(temporary, error);
    fail_to_write(file, reason);
  }
  std::filesystem::rename(temporary, file, error);
  if (error) fail_to_write(file, error);
}

std::string read_whole(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw Failure(ExitCode::usage,
                  fmt::format("cannot read {}: is it a folder of results?", file.string()));
  }
  return {std::istreambuf_iterator<char>(stream), {}};
}

TrialsFile::TrialsFile(std::filesystem::path file, Open open) : file_(std::move(file)) {
  const int flags = open == Open::create ? O_CREAT | O_EXCL : 0;
  fd_ = UniqueFd(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0666));
  if (!fd_) fail_to_write(file_, last_error());
  if (open == Open::create) write(csv_record(trial_header()));
}

void TrialsFile::append(const TrialRow& row) { write(csv_record(trial_record(row))); }

/// In one write(2), so that not even SIGKILL leaves half a line. A disk that is full takes a part
/// of it, which is taken back: what stands before it is still a whole file.
void TrialsFile::write(const std::string& line) {
  const ssize_t written = ::write(fd_.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return;
  if (written < 0) fail_to_write(file_, last_error());
  const off_t whole = ::lseek(fd_.get(), 0, SEEK_END) - written;
  static_cast<void>(::ftruncate(fd_.get(), whole));
  fail_to_write(file_, {ENOSPC, std::system_category()});
}

}  // namespace muxlab
