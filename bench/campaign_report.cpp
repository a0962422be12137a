#include "bench/campaign_report.hpp"

#include <algorithm>

#include "bench/campaign_files.hpp"
#include "bench/campaign_record.hpp"
#include "bench/csv.hpp"
#include "bench/plots.hpp"
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

Report render_report(const std::filesystem::path& folder) {
  const CampaignRecord record = CampaignRecord::read(folder);
  const std::vector<TrialRow> trials = trial_rows(read_csv(folder / "trials.csv"));
  Report report;
  report.instrument = check_instrument(trials);
  report.summary = summarise(those_of(trials, record.backends()), record.backends());
  const TrialCount trials_per_point = count_trials(report.summary);
  report.caution = record.caution(trials_per_point);
  report.comparisons = compare(trials, record.backends());
  write_whole(folder / "summary.csv", summary_csv(report.summary));
  write_whole(folder / "comparisons.csv", comparisons_csv(report.comparisons));
  report.plots = draw_plots(folder, plots_of(report.summary), record.caption(trials_per_point));
  return report;
}

std::string report_text(const Report& report) {
  return instrument_text(report.instrument) + "\n" + summary_table(report.summary, report.caution) +
         comparison_text(report.comparisons);
}

}  // namespace muxlab
