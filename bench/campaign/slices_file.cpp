#include "bench/campaign/slices_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "backends/failure.hpp"
#include "bench/campaign_files.hpp"
#include "bench/csv.hpp"

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
        slice.broken});
  }
  std::ofstream stream(file, std::ios::binary | std::ios::app);
  stream << text;
  stream.close();
  if (!stream) {
    throw Failure(ExitCode::unavailable, fmt::format("cannot write {}", file.string()));
  }
}

void drop_unrecorded_slices(const std::filesystem::path& folder,
                            std::span<const std::uint64_t> rigs_of_load) {
  const std::filesystem::path file = folder / kSlices;
  std::ifstream stream(file, std::ios::binary);
  std::string kept, line;
  while (std::getline(stream, line) && !stream.eof()) {  // a last line without its end is not whole
    std::size_t load = 0, rig = 0;
    const char* const end = line.data() + line.size();
    const auto first = std::from_chars(line.data(), end, load);
    const bool is_row = first.ec == std::errc{} && first.ptr != end &&
                        std::from_chars(first.ptr + 1, end, rig).ec == std::errc{};
    if (!is_row || (load < rigs_of_load.size() && rig < rigs_of_load[load])) kept += line + '\n';
  }
  if (stream.is_open()) write_whole(file, kept);
}

}  // namespace muxlab
