#include "bench/campaign_report.hpp"

#include "bench/campaign_files.hpp"
#include "bench/campaign_record.hpp"
#include "bench/csv.hpp"
#include "bench/plots.hpp"

namespace muxlab {

Report render_report(const std::filesystem::path& folder) {
  const CampaignRecord record = CampaignRecord::read(folder);
  const std::vector<TrialRow> trials = trial_rows(read_csv(folder / "trials.csv"));
  Report report;
  report.summary = summarise(trials, record.backends());
  const TrialCount trials_per_point = count_trials(report.summary);
  report.caution = record.caution(trials_per_point);
  report.comparisons = compare(trials, record.backends());
  write_whole(folder / "summary.csv", summary_csv(report.summary));
  write_whole(folder / "comparisons.csv", comparisons_csv(report.comparisons));
  report.plots = draw_plots(folder, plots_of(report.summary), record.caption(trials_per_point));
  return report;
}

}  // namespace muxlab
