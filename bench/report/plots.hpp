#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/report/summary.hpp"
#include "bench/report_document.hpp"

namespace muxlab {

struct PictureKind;

/// One picture: a gnuplot file of scripts/plots, and the slice of summary.csv that it shows.
struct Plot {
  const PictureKind* kind = nullptr;
  std::string script;  ///< such as "throughput": scripts/plots/throughput.gp
  std::string axis;    ///< the column that runs along x; "backend" for bars, or "percentile"
  std::vector<std::pair<std::string, std::string>> conditions;  ///< of other columns
  std::string name;                                             ///< of the file, without its ending

  /// Whether `row` is in the slice.
  [[nodiscard]] bool shows(const SummaryRow& row) const;
};

/// What `row` has in `axis`: a number or a word; empty where that is not a column.
std::string place_on(const std::string& axis, const SummaryRow& row);

/// The pictures that `rows` can fill, those that their experiment names first; and of each one for
/// every combination of values of the columns that it does not go along, but for those that follow
/// from another column, as `reuseport` may from there being two threads. Where the experiment does
/// not say along what, it is each column of numbers of which several values were measured, or
/// connections where that is none.
std::vector<Plot> plots_of(std::span<const SummaryRow> rows);

/// What stands around what is drawn.
struct PlotFrame {
  std::string caption;  ///< below it
  /// Between how many server threads and how many more begins where there are more of them than
  /// processors for them; nothing where that is not known or not so.
  std::optional<double> crowded_from;
};

/// Draws `plot` from `folder`/summary.csv as `folder`/plots/NAME.svg, and returns it. The same data
/// gives the same bytes, and a picture that cannot be drawn leaves the one there as it was. Throws
/// Failure (unavailable) when gnuplot or its files are not found or one fails.
std::string draw_plot(const std::filesystem::path& folder, const Plot& plot,
                      const PlotFrame& frame);

/// What the gnuplot file `script` of scripts/plots draws with `arguments`, run in `folder`, so that
/// names of files there need no path. Throws as draw_plot() does.
std::string draw_svg(const std::filesystem::path& folder, const std::string& script,
                     std::vector<std::string> arguments);

/// Draws all pictures of `rows`, which `folder`/summary.csv holds, as files of `folder`/plots:
/// those of one kind in one gallery. Throws as draw_plot() does.
std::vector<Gallery> draw_pictures(const std::filesystem::path& folder,
                                   std::span<const SummaryRow> rows, const PlotFrame& frame);

}  // namespace muxlab
