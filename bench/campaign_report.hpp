#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "bench/comparison.hpp"
#include "bench/instrument.hpp"
#include "bench/plots.hpp"
#include "bench/summary.hpp"

namespace muxlab {

/// What was made of a folder of results.
struct Report {
  InstrumentCheck instrument;
  std::vector<SummaryRow> summary;
  std::vector<Comparison> comparisons;
  std::string caution;  ///< what keeps the figures from being trusted; may be empty
  std::vector<Plot> plots;
  PlotFrame frame;             ///< of all of them
  std::filesystem::path page;  ///< report.html

  /// Where all of it is, in a line for people.
  [[nodiscard]] std::string where() const;
};

/// Makes summary.csv, comparisons.csv, plots/, report.html and report.md in `folder` from its
/// trials.csv and machine.json, which stay as they are; plots in SVG and in `also` if that is
/// another format. The same trials give the same bytes. Throws Failure: usage for files that are
/// missing, cut off or of another schema, before anything is written; unavailable without gnuplot
/// or without room on the disk, and each file is then the old or the new one whole.
Report render_report(const std::filesystem::path& folder, PlotFormat also = PlotFormat::svg);

/// What it says, for a terminal: whether to believe the instrument, the table, the verdicts.
std::string report_text(const Report& report);

}  // namespace muxlab
