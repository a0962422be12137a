#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/summary.hpp"

namespace muxlab {

/// One picture: a gnuplot file of scripts/plots, and the slice of summary.csv that it shows.
struct Plot {
  std::string script;  ///< "throughput", "latency" or "cpu"
  std::string axis;    ///< the column that runs along x
  std::vector<std::pair<std::string, std::string>> conditions;  ///< of other columns
  std::string name;                                             ///< of the file, without its ending

  /// Whether `row` is in the slice.
  [[nodiscard]] bool shows(const SummaryRow& row) const;
};

/// Where `row` is along `axis`, a column that holds numbers.
std::uint64_t place_on(const std::string& axis, const SummaryRow& row);

/// The pictures that `rows` can fill: along each column of numbers of which several values were
/// measured, or along connections where that is none; and of each one for every combination of
/// values of the other columns, but for those that follow from another column, as `reuseport` may
/// from there being two threads.
std::vector<Plot> plots_of(std::span<const SummaryRow> rows);

/// How plots are drawn: into files, for a browser or for programs that take no SVG; or with
/// characters, for a terminal.
enum class PlotFormat { svg, png, text };

/// Draws `plots` from `folder`/summary.csv as `folder`/plots/NAME.svg or .png with `caption` below
/// each. The same data gives the same bytes, and a picture that cannot be drawn leaves the one
/// there as it was. Throws Failure (unavailable) when gnuplot or its files are not found or one
/// fails.
void draw_plots(const std::filesystem::path& folder, std::span<const Plot> plots, PlotFormat format,
                const std::string& caption);

/// The same as 30 lines of 100 characters each.
std::string draw_as_text(const std::filesystem::path& folder, const Plot& plot);

}  // namespace muxlab
