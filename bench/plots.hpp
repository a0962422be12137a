#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "bench/summary.hpp"

namespace muxlab {

/// One picture: a gnuplot file of scripts/plots, and the slice of summary.csv that it shows.
struct Plot {
  std::string script;       ///< "throughput", "latency" or "cpu"
  std::string axis;         ///< what runs along x: "connections" or "threads"
  std::uint64_t fixed = 0;  ///< the value of the other one
  std::uint64_t idle = 0;
  std::string name;  ///< of the file, without its ending
};

/// The pictures that `rows` can fill: against connections for each number of threads, and, where
/// several were measured, against threads for each number of connections.
std::vector<Plot> plots_of(std::span<const SummaryRow> rows);

/// Draws `plots` from `folder`/summary.csv as `folder`/plots/NAME.svg with `caption` below each,
/// and returns how many there are. The same data gives the same bytes. Throws Failure (unavailable)
/// when gnuplot or its files are not found or one fails.
std::size_t draw_plots(const std::filesystem::path& folder, std::span<const Plot> plots,
                       const std::string& caption);

}  // namespace muxlab
