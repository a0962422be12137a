#include "bench/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "bench/campaign_files.hpp"
#include "bench/campaign_interrupts.hpp"
#include "bench/campaign_order.hpp"
#include "bench/campaign_record.hpp"
#include "bench/campaign_report.hpp"
#include "bench/canary.hpp"
#include "bench/gates.hpp"
#include "bench/progress.hpp"
#include "bench/quiet_phase.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {
namespace {

constexpr std::chrono::nanoseconds kConnectionOverhead = std::chrono::microseconds(50);

/// What was disturbed is measured again at the end of its round: so often at most, and a quarter of
/// the round's cells at most, so that a campaign on a busy machine has an end too.
constexpr std::uint64_t kMostAttempts = 3;
constexpr std::size_t kCellsPerRepeat = 4;

/// A trial is put off while the machine is slow: so long at most, and all of them together for a
/// third of what the campaign takes. Not in a quick one, which ranks nothing and is to be quick.
constexpr std::chrono::nanoseconds kMostPatience = std::chrono::seconds(5);
constexpr int kPatienceDivisor = 3;

struct Tally {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  bool interrupted = false;
};

/// Those that a campaign which is resumed has behind it.
std::vector<TrialRow> trials_before(const CampaignPlan& plan) {
  if (!plan.is_resumed) return {};
  const CsvTable table = read_csv(plan.folder / "trials.csv");
  if (table.header != trial_header()) {
    throw Failure(ExitCode::usage, fmt::format("{} is of another version of muxlab, which alone "
                                               "can go on with it",
                                               table.origin));
  }
  return trial_rows(table);
}

/// A campaign that is resumed has as much of it as it has trials left.
std::chrono::nanoseconds patience_for_the_rest(const CampaignPlan& plan, std::size_t done) {
  const Expectation all = expect(plan);
  if (done >= all.trials) return {};
  const auto left = static_cast<std::int64_t>(all.trials - done);
  return all.patience * left / static_cast<std::int64_t>(all.trials);
}

/// Runs the trials of a plan one after the other, and judges each by those before it.
class Measuring {
 public:
  Measuring(const CampaignPlan& plan, int interrupt)
      : plan_(plan),
        setup_(plan.setup),
        done_(trials_before(plan)),
        file_(plan.folder / "trials.csv",
              plan.is_resumed ? TrialsFile::Open::go_on : TrialsFile::Open::create),
        progress_(plan.rounds * plan.cells.size(), expect(plan).duration, stderr,
                  stderr_is_terminal()),
        patience_left_(patience_for_the_rest(plan, done_.size())) {
    setup_.interrupt = interrupt;
  }

  /// Every round in its order, until done or interrupted.
  Tally run() {
    const auto order = draw_order(plan_.cells.size(), plan_.rounds, plan_.seed);
    for (std::size_t round = 0; round < order.size() && !tally_.interrupted; ++round) {
      run_round(round + 1, order[round]);
    }
    return tally_;
  }

 private:
  void run_round(std::uint64_t round, const std::vector<std::size_t>& order) {
    std::size_t repeats_left = (order.size() + kCellsPerRepeat - 1) / kCellsPerRepeat;
    std::vector<std::size_t> now = order;
    TrialRow row;
    row.round = round;
    for (row.attempt = 1; row.attempt <= kMostAttempts && !now.empty(); ++row.attempt) {
      std::vector<std::size_t> disturbed;
      for (const std::size_t index : now) {
        ++row.order;
        if (!measure(plan_.cells[index], row)) return;
        if (row.outcome.status == TrialStatus::untrusted) disturbed.push_back(index);
      }
      disturbed.resize(std::min(disturbed.size(), repeats_left));
      repeats_left -= disturbed.size();
      if (row.attempt < kMostAttempts) progress_.expect_more(disturbed.size());
      now = std::move(disturbed);
    }
  }

  /// Fills in `row` and keeps it; false when interrupted. What is behind us is as it was, so that a
  /// campaign goes on as if it had never stopped.
  bool measure(const PlannedCell& planned, TrialRow& row) {
    row.experiment = plan_.experiment;
    row.cell = planned.cell;
    if (next_done_ < done_.size()) {
      take_as_it_was(row);
    } else {
      progress_.begin(planned.cell);
      std::optional<TrialOutcome> outcome = outcome_of(planned);
      if (!outcome) {
        tally_.interrupted = true;
        return false;
      }
      row.outcome = std::move(*outcome);
      file_.append(row);
    }
    progress_.finish(row);
    fastest_canary_ns_ = std::fmin(fastest_canary_ns_, row.outcome.metrics[Metric::canary_ns]);
    tally_.done += row.outcome.status == TrialStatus::unsupported ? 0 : 1;
    tally_.failed += row.outcome.status == TrialStatus::failed ? 1 : 0;
    return true;
  }

  void take_as_it_was(TrialRow& row) {
    const TrialRow& before = done_[next_done_++];
    if (before.cell != row.cell || before.round != row.round || before.order != row.order) {
      throw Failure(ExitCode::usage,
                    fmt::format("{}/trials.csv is not of this campaign: trial {} is of {}, and "
                                "should be of {}",
                                plan_.folder.string(), next_done_, describe(before.cell),
                                describe(row.cell)));
    }
    row.outcome = before.outcome;
  }

  std::optional<TrialOutcome> outcome_of(const PlannedCell& planned) {
    if (planned.unsupported) {
      return TrialOutcome{TrialStatus::unsupported, *planned.unsupported, Metrics()};
    }
    const Processors processors = share_processors(plan_.allowed_processors, planned.cell.threads);
    const Gates gates = gates_for(planned.cell, processors);
    patience_left_ -= await_quiet_phase([&] { return canary_ns(processors); },
                                        gates.canary_ratio * fastest_canary_ns_,
                                        std::min(patience_left_, kMostPatience), setup_.interrupt);
    std::optional<TrialOutcome> outcome = run_trial(setup_, planned.cell, processors);
    if (!outcome || outcome->status != TrialStatus::ok) return outcome;
    outcome->reason = why_disturbed(outcome->metrics, fastest_canary_ns_, gates);
    if (!outcome->reason.empty()) outcome->status = TrialStatus::untrusted;
    return outcome;
  }

  const CampaignPlan& plan_;
  TrialSetup setup_;
  const std::vector<TrialRow> done_;
  std::size_t next_done_ = 0;
  TrialsFile file_;
  Progress progress_;
  Tally tally_;
  std::chrono::nanoseconds patience_left_;
  double fastest_canary_ns_ = std::numeric_limits<double>::infinity();
};

std::string run_status(const Tally& tally) {
  if (tally.interrupted) return "interrupted";
  return tally.failed > 0 ? "complete_with_failures" : "complete";
}

/// Whether what was found can be believed, as far as it was to be found out.
bool is_trusted(const Report& report) {
  const auto is_in_doubt = [](const SummaryRow& row) {
    return row.failed > 0 || (row.is_measured() && row.trials == 0);
  };
  return std::ranges::none_of(report.summary, is_in_doubt) && !report.instrument.is_refuted();
}

Report show(const CampaignPlan& plan, const Tally& tally) {
  const std::string folder = plan.folder.string();
  if (tally.interrupted) {
    fmt::print(stderr, "interrupted: the {} trials that were done are kept in {}\n", tally.done,
               folder);
  }
  Report report = render_report(plan.folder);
  fmt::print("{}", report_text(report));
  if (tally.failed > 0) {
    fmt::print("{} trials failed; {}/trials.csv says why\n", tally.failed, folder);
  }
  fmt::print("{}", report.where());
  std::fflush(stdout);
  return report;
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
  all.repeats = all.duration / kCellsPerRepeat;
  if (plan.profile == "full") all.patience = all.duration / kPatienceDivisor;
  return all;
}

ExitCode run_campaign(const CampaignPlan& plan) {
  if (!plan.is_resumed) make_result_folder(plan.folder);
  CampaignRecord record =
      plan.is_resumed ? CampaignRecord::read(plan.folder) : CampaignRecord(plan);
  if (plan.is_resumed) record.resume();
  Interrupts interrupts;
  Measuring measuring(plan, interrupts.fd());
  record.write(plan.folder);
  const Tally tally = measuring.run();
  const std::optional<ExitCode> signalled = interrupts.take();
  if (signalled) interrupts.let_the_next_one_end_us();
  record.finish(run_status(tally));
  record.write(plan.folder);
  const Report report = show(plan, tally);
  if (tally.interrupted) return signalled.value_or(ExitCode::interrupted);
  return is_trusted(report) && record.doubt_of_the_build().empty() ? ExitCode::ok
                                                                   : ExitCode::untrusted;
}

}  // namespace muxlab
