#include "bench/campaign.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "bench/campaign_files.hpp"
#include "bench/campaign_interrupts.hpp"
#include "bench/campaign_order.hpp"
#include "bench/campaign_record.hpp"
#include "bench/campaign_report.hpp"
#include "bench/progress.hpp"
#include "bench/summary_table.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {
namespace {

/// What a trial takes beside its warm-up and its window: two processes and their connections.
constexpr std::chrono::nanoseconds kTrialOverhead = std::chrono::milliseconds(250);
constexpr std::chrono::nanoseconds kConnectionOverhead = std::chrono::microseconds(50);

struct Tally {
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;
  bool interrupted = false;
};

TrialRow row_for(const CampaignPlan& plan, const PlannedCell& planned) {
  TrialRow row;
  row.experiment = plan.experiment;
  row.cell = planned.cell;
  row.size_bytes = plan.setup.size_bytes;
  row.depth = plan.setup.depth;
  return row;
}

std::optional<TrialOutcome> outcome_of(const CampaignPlan& plan, const TrialSetup& setup,
                                       const PlannedCell& planned) {
  if (planned.unsupported) {
    return TrialOutcome{TrialStatus::unsupported, *planned.unsupported, Metrics()};
  }
  return run_trial(setup, planned.cell,
                   share_processors(plan.allowed_processors, planned.cell.threads));
}

/// Every round in its order, until done or interrupted.
Tally run_rounds(const CampaignPlan& plan, int interrupt) {
  TrialSetup setup = plan.setup;
  setup.interrupt = interrupt;
  TrialsFile file(plan.folder / "trials.csv");
  Progress progress(plan.rounds * plan.cells.size(), expect(plan).duration, stderr,
                    stderr_is_terminal());
  Tally tally;
  const auto order = draw_order(plan.cells.size(), plan.rounds, plan.seed);
  for (std::size_t round = 0; round < order.size(); ++round) {
    for (std::size_t place = 0; place < order[round].size(); ++place) {
      const PlannedCell& planned = plan.cells[order[round][place]];
      TrialRow row = row_for(plan, planned);
      row.round = round + 1;
      row.order = place + 1;
      progress.begin(planned.cell);
      std::optional<TrialOutcome> outcome = outcome_of(plan, setup, planned);
      if (!outcome) {
        tally.interrupted = true;
        return tally;
      }
      row.outcome = std::move(*outcome);
      file.append(row);
      progress.finish(row);
      tally.ok += row.outcome.status == TrialStatus::ok ? 1 : 0;
      tally.failed += row.outcome.status == TrialStatus::failed ? 1 : 0;
    }
  }
  return tally;
}

std::string run_status(const Tally& tally) {
  if (tally.interrupted) return "interrupted";
  return tally.failed > 0 ? "complete_with_failures" : "complete";
}

void show(const CampaignPlan& plan, const Tally& tally) {
  const std::string folder = plan.folder.string();
  if (tally.interrupted) {
    fmt::print(stderr, "interrupted: the {} trials that were done are kept in {}\n",
               tally.ok + tally.failed, folder);
  }
  const Report report = render_report(plan.folder);
  fmt::print("{}{}", summary_table(report.summary, report.caution),
             comparison_text(report.comparisons));
  if (tally.failed > 0) {
    fmt::print("{} trials failed; {}/trials.csv says why\n", tally.failed, folder);
  }
  fmt::print("{}", report.where());
  std::fflush(stdout);
}

}  // namespace

Expectation expect(const CampaignPlan& plan) {
  Expectation all;
  for (const PlannedCell& planned : plan.cells) {
    if (planned.unsupported) continue;
    const auto connections =
        static_cast<std::int64_t>(planned.cell.connections + planned.cell.idle);
    all.trials += plan.rounds;
    all.duration += static_cast<std::int64_t>(plan.rounds) *
                    (plan.setup.warmup + plan.setup.window + kTrialOverhead +
                     connections * kConnectionOverhead);
  }
  return all;
}

ExitCode run_campaign(const CampaignPlan& plan) {
  make_result_folder(plan.folder);
  CampaignRecord record(plan);
  record.write(plan.folder);
  Interrupts interrupts;
  const Tally tally = run_rounds(plan, interrupts.fd());
  const std::optional<ExitCode> signalled = interrupts.take();
  if (signalled) interrupts.let_the_next_one_end_us();
  record.finish(run_status(tally));
  record.write(plan.folder);
  show(plan, tally);
  if (tally.interrupted) return signalled.value_or(ExitCode::interrupted);
  return tally.failed > 0 ? ExitCode::untrusted : ExitCode::ok;
}

}  // namespace muxlab
