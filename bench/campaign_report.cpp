#include "bench/campaign_report.hpp"

#include <fmt/format.h>

#include "bench/campaign_files.hpp"
#include "bench/campaign_record.hpp"
#include "bench/csv.hpp"
#include "bench/report_content.hpp"
#include "bench/report_html_page.hpp"
#include "bench/report_markdown.hpp"

namespace muxlab {

std::string Report::where() const {
  return fmt::format("{} plots in {}; all of it in {}\n", plots.size(),
                     (page.parent_path() / "plots").string(), page.string());
}

Report render_report(const std::filesystem::path& folder, PlotFormat also) {
  const CampaignRecord record = CampaignRecord::read(folder);
  const CsvTable table = read_csv(folder / "trials.csv");
  const std::vector<TrialRow> trials = trial_rows(table);
  Report report;
  report.summary = summarise(trials, record.backends());
  const TrialCount trials_per_point = count_trials(report.summary);
  report.caution = record.caution(trials_per_point);
  report.comparisons = compare(trials, record.backends());
  report.plots = plots_of(report.summary);
  report.page = folder / "report.html";
  write_whole(folder / "summary.csv", summary_csv(report.summary));
  write_whole(folder / "comparisons.csv", comparisons_csv(report.comparisons));
  const std::string caption = record.caption(trials_per_point);
  draw_plots(folder, report.plots, PlotFormat::svg, caption);
  if (also != PlotFormat::svg) draw_plots(folder, report.plots, also, caption);
  const Limiters limiters(table, trials);
  const Document document = report_document({record.json(), report.caution, report.summary,
                                             report.comparisons, limiters, report.plots, folder});
  write_whole(report.page, html_page(document));
  write_whole(folder / "report.md", markdown_page(document));
  return report;
}

}  // namespace muxlab
