#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench/campaign_report.hpp"
#include "bench/report_document.hpp"

namespace muxlab {

/// All that a report is made from; lent to the functions below.
struct ReportSource {
  const nlohmann::ordered_json& record;  ///< machine.json
  const Report& report;                  ///< of which the plots are drawn
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
