#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/comparison.hpp"
#include "bench/instrument.hpp"
#include "bench/summary.hpp"

namespace muxlab {

/// What was made of a folder of results.
struct Report {
  InstrumentCheck instrument;
  std::vector<SummaryRow> summary;
  std::vector<Comparison> comparisons;
  std::string caution;  ///< what keeps the figures from being trusted; may be empty
  std::size_t plots = 0;
};

/// Makes summary.csv, comparisons.csv and plots/ in `folder` from its trials.csv and machine.json,
/// which stay as they are. The same trials give the same bytes. Throws Failure: usage for files
/// that are missing, cut off or of another schema, before anything is written; unavailable without
/// gnuplot.
Report render_report(const std::filesystem::path& folder);

/// What it says, for a terminal: whether to believe the instrument, the table, the verdicts.
std::string report_text(const Report& report);

}  // namespace muxlab
