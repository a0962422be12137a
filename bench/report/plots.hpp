#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/report/document.hpp"
#include "bench/report/summary.hpp"

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

/// Draws the pictures of one folder of results, with gnuplot. A picture is side work: one that
/// cannot be drawn is counted and left out, and the file there stays as it was.
///
/// gnuplot runs in the folder, so that it is given names below it and never the user's own path.
class Gnuplot {
 public:
  /// Drawing ends when the descriptor `interrupt` becomes readable; -1: never; borrowed.
  explicit Gnuplot(std::filesystem::path folder, int interrupt = -1);

  /// Draws folder/plots/NAME.svg with the gnuplot file `script` of scripts/plots, and returns it;
  /// empty when it is missing. `data`, unless empty, is what it is drawn from: it is written as
  /// plots/NAME.csv, which goes before the `arguments`. The same data gives the same bytes.
  std::string draw(const std::string& name, const std::string& script, const std::string& data,
                   std::vector<std::string> arguments);
  /// How many pictures are missing, and why the first is, in one line; empty: none.
  [[nodiscard]] std::string why_missing() const;

 private:
  std::string run(const std::string& script, std::vector<std::string> arguments);

  std::filesystem::path folder_;
  int interrupt_;
  bool is_over_ = false;  // none of the following pictures can be drawn either
  std::size_t missing_ = 0;
  std::string reason_;  // of the first
};

/// Draws `plot` from the folder's summary.csv, as Gnuplot::draw() does.
std::string draw_plot(Gnuplot& gnuplot, const Plot& plot, const PlotFrame& frame);

/// Draws all pictures of `rows`, which the folder's summary.csv holds: those of one kind in one
/// gallery.
std::vector<Gallery> draw_pictures(Gnuplot& gnuplot, std::span<const SummaryRow> rows,
                                   const PlotFrame& frame);

}  // namespace muxlab
