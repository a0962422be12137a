#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "bench/comparison.hpp"
#include "bench/instrument.hpp"
#include "bench/plots.hpp"
#include "bench/report_document.hpp"
#include "bench/summary.hpp"

namespace muxlab {

/// All that a report is made from; lent to the functions below.
struct ReportSource {
  const nlohmann::ordered_json& record;  ///< machine.json
  const std::string& caution;            ///< what keeps the figures from ranking; may be empty
  std::span<const SummaryRow> summary;
  std::span<const Comparison> comparisons;
  const InstrumentCheck& instrument;
  std::span<const Plot> plots;  ///< that are drawn
  std::filesystem::path folder;
};

/// The report: what came out, whether to believe it, what there is to see, and why it is not more.
Document report_document(const ReportSource& source);

/// Its sections, each in a file of its own.
Section answer_section(const ReportSource& source);
Section trust_section(const ReportSource& source);
Section pictures_section(const ReportSource& source);
Section limiter_section(const ReportSource& source);

}  // namespace muxlab
