#include "bench/campaign/slices_file.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "bench/data/csv.hpp"
#include "bench/data/files.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

constexpr const char* kSlices = "slices.csv";

}  // namespace

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
