#pragma once

#include "bench/analysis/answer.hpp"
#include "bench/data/statistics.hpp"
#include "bench/report/document.hpp"

namespace muxlab {

/// Returns the names of all figures of a rig: the columns of summary.csv. They are published: never
/// change one, only add.
///
/// `cpu_*_ns_per_echo` split CPU time where calls are timed: calls that wait, read, write or change
/// the set of descriptors, reading the clocks for that, and the rest. For io_uring the calls that
/// wait also do the work. `syscalls_predicted_per_echo` is the theoretical value for the measured
/// `events_per_wait`. `fairness` is Jain's index of the echoes of each connection. Memory is per
/// connection, silent or not; the kernel's is that of both ends.
std::span<const std::string> figure_names();

/// A contender at a load, over all its rigs.
struct SummaryRow {
  std::string experiment;
  Cell cell;  ///< as it ran
  std::uint64_t rigs = 0;
  Bound bound = Bound::unknown;
  std::vector<std::optional<Spread>> spreads;  ///< in the order of figure_names()

  [[nodiscard]] bool is_measured() const { return rigs > 0; }
  [[nodiscard]] const std::optional<Spread>& spread(std::string_view figure) const;
};

/// Returns one row for each load and contender, without self-checks. A spread is from the least to
/// the greatest rig; for CPU time it is the baseline's times the ratio, with its interval.
std::vector<SummaryRow> summarise(const Answer& answer, std::span<const RigRecord> records);

/// Returns summary.csv: per figure F the columns F_median, F_min and F_max, empty for no value.
std::string summary_csv(std::span<const SummaryRow> rows);

struct PictureKind;

/// One picture: a gnuplot file of scripts/plots, and the slice of summary.csv that it shows.
struct Plot {
  const PictureKind* kind = nullptr;
  std::string script;  ///< such as "throughput": scripts/plots/throughput.gp
  std::string axis;    ///< the column that runs along x; "backend" for bars, or "percentile"
  std::vector<std::pair<std::string, std::string>> conditions;  ///< of other columns
  std::string name;                                             ///< of the file, without its ending

  /// Returns whether `row` is in the slice.
  [[nodiscard]] bool shows(const SummaryRow& row) const;
};

/// Returns the value of `row` in `axis`: a number or a word; empty if `axis` is not a column.
std::string place_on(const std::string& axis, const SummaryRow& row);

/// Returns the pictures that `rows` can fill; those that the experiment names come first. Each kind
/// has one picture for every combination of values of the columns other than its axis. A column
/// that follows from another column does not count, as `reuseport` may follow from two threads. If
/// the experiment names no axis, each column of numbers with several values is one, or connections
/// if there is none.
std::vector<Plot> plots_of(std::span<const SummaryRow> rows);

/// The surroundings of a plot.
struct PlotFrame {
  std::string caption;  ///< below it
  /// The number of server threads, between two measured ones, from which threads outnumber their
  /// processors. Nothing if that is unknown or never happens.
  std::optional<double> crowded_from;
};

/// Draws the pictures of one folder of results, with gnuplot. A picture that cannot be drawn is
/// counted and left out, and its old file stays.
///
/// gnuplot runs in the folder, so it gets names below it and never the user's own path.
class Gnuplot {
 public:
  /// Drawing stops when the descriptor `interrupt` becomes readable; -1: never; borrowed.
  explicit Gnuplot(std::filesystem::path folder, int interrupt = -1);

  /// Draws folder/plots/NAME.svg with the gnuplot file `script` of scripts/plots. Returns the
  /// picture; empty when it is missing. Writes `data`, unless empty, as plots/NAME.csv, which goes
  /// before the `arguments`. The same data gives the same bytes.
  std::string draw(const std::string& name, const std::string& script, const std::string& data,
                   std::vector<std::string> arguments);
  /// Returns in one line how many pictures are missing and why the first is; empty: none.
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

/// Draws all pictures of `rows`, one gallery per kind. Requires `rows` in the folder's summary.csv.
std::vector<Gallery> draw_pictures(Gnuplot& gnuplot, std::span<const SummaryRow> rows,
                                   const PlotFrame& frame);

/// Describes the machine of a machine.json in a few words, for captions.
std::string machine_words(const nlohmann::ordered_json& record);

/// Draws the ratios of all loads with their intervals, a few loads per picture: plots/ratios.svg,
/// plots/ratios-2.svg and so on, with their data in plots/. Leaves out pictures that cannot be
/// drawn.
Gallery draw_ratios(const Answer& answer, const nlohmann::ordered_json& record, Gnuplot& gnuplot);

}  // namespace muxlab
