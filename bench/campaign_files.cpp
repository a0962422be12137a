#include "bench/campaign_files.hpp"

#include <fmt/format.h>

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

}  // namespace muxlab
