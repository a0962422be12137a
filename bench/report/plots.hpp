#pragma once

#include "bench/analysis/answer.hpp"
#include "bench/data/statistics.hpp"
#include "bench/report/document.hpp"

namespace muxlab {

/// What is told of each rig beside what is compared, by the names of columns of summary.csv;
/// published, so never changed, only added to.
///
/// `cpu_*_ns_per_echo` are what CPU time goes into where calls are timed: those that wait, read,
/// write and change what is waited for, reading the clocks for that, and the rest. For io_uring the
/// calls that wait also do the work. `syscalls_predicted_per_echo` is what theory says for so many
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

/// One for each load and contender, self-checks left out. From the least to the greatest rig but
/// for CPU time, which is the baseline's times the ratio, with its interval.
std::vector<SummaryRow> summarise(const Answer& answer, std::span<const RigRecord> records);

/// summary.csv: per figure F the columns F_median, F_min and F_max, empty where there is none.
std::string summary_csv(std::span<const SummaryRow> rows);

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

/// The machine of a machine.json in a few words, for captions.
std::string machine_words(const nlohmann::ordered_json& record);

/// The ratios of all loads with their intervals, as many pictures as it takes, of a few loads each:
/// plots/ratios.svg, plots/ratios-2.svg and so on, with their data beside them. Those that cannot
/// be drawn are left out.
Gallery draw_ratios(const Answer& answer, const nlohmann::ordered_json& record, Gnuplot& gnuplot);

}  // namespace muxlab
