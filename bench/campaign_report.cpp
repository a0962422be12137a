#include "bench/campaign_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bench/campaign_files.hpp"
#include "bench/campaign_record.hpp"
#include "bench/csv.hpp"
#include "bench/report_content.hpp"
#include "bench/report_html_page.hpp"
#include "bench/report_markdown.hpp"
#include "bench/summary_table.hpp"

namespace muxlab {

namespace {

/// Without the rows that check the instrument, unless they were asked for by name.
std::vector<TrialRow> those_of(std::vector<TrialRow> trials,
                               const std::vector<std::string>& backends) {
  std::erase_if(trials, [&](const TrialRow& trial) {
    return std::ranges::count(backends, trial.cell.backend) == 0;
  });
  return trials;
}

}  // namespace

std::string Report::where() const {
  return fmt::format("{} plots in {}; all of it in {}\n", plots.size(),
                     (page.parent_path() / "plots").string(), page.string());
}

Report render_report(const std::filesystem::path& folder, PlotFormat also) {
  const CampaignRecord record = CampaignRecord::read(folder);
  const std::vector<TrialRow> trials = trial_rows(read_csv(folder / "trials.csv"));
  Report report;
  report.instrument = check_instrument(trials);
  report.summary = summarise(those_of(trials, record.backends()), record.backends());
  const TrialCount trials_per_point = count_trials(report.summary);
  report.caution = record.caution(trials_per_point);
  report.comparisons = compare(trials, record.backends());
  report.plots = plots_of(report.summary);
  report.page = folder / "report.html";
  write_whole(folder / "summary.csv", summary_csv(report.summary));
  write_whole(folder / "comparisons.csv", comparisons_csv(report.comparisons));
  report.frame = {record.caption(trials_per_point), record.crowded_from()};
  draw_plots(folder, report.plots, PlotFormat::svg, report.frame);
  if (also != PlotFormat::svg) draw_plots(folder, report.plots, also, report.frame);
  const Document document = report_document({record.json(), report, folder});
  write_whole(report.page, html_page(document));
  write_whole(folder / "report.md", markdown_page(document));
  return report;
}

std::string report_text(const Report& report) {
  return instrument_text(report.instrument) + "\n" + summary_table(report.summary, report.caution) +
         comparison_text(report.comparisons);
}

}  // namespace muxlab
