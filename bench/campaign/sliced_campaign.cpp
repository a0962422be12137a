#include "bench/campaign/sliced_campaign.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <vector>

#include "bench/campaign/load_run.hpp"
#include "bench/campaign/sliced_progress.hpp"
#include "bench/campaign/slices_file.hpp"
#include "bench/campaign_files.hpp"
#include "bench/campaign_interrupts.hpp"
#include "bench/conditions.hpp"
#include "bench/progress.hpp"
#include "bench/report/answer_files.hpp"
#include "bench/report/answer_text.hpp"
#include "bench/rig/local_sides.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

/// This process commands the slices: not on the server's processors, if there are others.
void keep_off_the_server(const PlannedLoad& load, std::span<const int> allowed) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : allowed) {
    const bool is_server = std::ranges::count(load.processors.server, processor) > 0;
    if (!is_server) CPU_SET(static_cast<std::size_t>(processor), &set);
  }
  if (CPU_COUNT(&set) > 0) ::sched_setaffinity(0, sizeof set, &set);
}

/// The loads one after the other. In the default run what one leaves of its time goes to the next,
/// and what one takes too much is the next one's loss, so that the whole ends on time.
class Measuring {
 public:
  Measuring(const SlicedPlan& plan, Sides& sides)
      : plan_(plan),
        sides_(sides),
        progress_(plan, stderr, stderr_is_terminal(), stderr_columns()) {
    const bool has_records =
        plan.is_resumed && std::filesystem::exists(plan.folder / "records.csv");
    if (has_records) records_ = read_records(plan.folder);
    write_records(plan.folder, records_);
    drop_unrecorded_slices(plan.folder, rigs_of_loads());
  }

  void run() {
    double left_s = 0;  // that the loads so far have not used
    for (std::size_t i = 0; i < plan_.loads.size(); ++i) {
      const double seconds = plan_.loads[i].seconds + left_s;
      const double spent_s = run_load(i, seconds);
      left_s = plan_.shares_time ? seconds - spent_s : 0;
    }
  }

 private:
  [[nodiscard]] std::vector<std::uint64_t> rigs_of_loads() const {
    std::vector<std::uint64_t> rigs;
    for (const PlannedLoad& load : plan_.loads) {
      rigs.push_back(
          static_cast<std::uint64_t>(std::ranges::count_if(records_, [&](const RigRecord& record) {
            return record.is_baseline() && is_of(record, load);
          })));
    }
    return rigs;
  }

  double run_load(std::size_t index, double seconds) {
    keep_off_the_server(plan_.loads[index], plan_.allowed_processors);
    double later_s = 0;
    for (std::size_t i = index + 1; i < plan_.loads.size(); ++i) later_s += plan_.loads[i].seconds;
    LoadRun load(plan_, index, seconds, records_);
    std::vector<Slice> slices;
    while (!load.is_over()) {
      const std::vector<Contender> contenders = load.contenders();
      load.run_rig(
          sides_,
          [&](const LoadProgress& progress) {
            progress_.tell(progress, progress.left_s + later_s);
          },
          slices);
      append_slices(plan_.folder, index, load.rigs() - 1, contenders, slices);
      write_records(plan_.folder, records_);
    }
    return load.seconds_spent();
  }

  const SlicedPlan& plan_;
  Sides& sides_;
  SlicedProgress progress_;
  std::vector<RigRecord> records_;
};

/// Kept in machine.json, for the report; of each part of a campaign that was resumed.
void note_throttling(const std::string& words, Json& record) {
  if (words.empty()) return;
  if (!record["throttling"].is_array()) record["throttling"] = Json::array();
  record["throttling"].push_back(words);
  std::fputs(("muxlab: " + words + '\n').c_str(), stderr);
}

std::string status_after(const Answer& answer) {
  return answer.has_failed() ? "complete_with_failures" : "complete";
}

}  // namespace

ExitCode run_sliced_campaign(const SlicedPlan& plan, bool as_json) {
  if (!plan.is_resumed) make_result_folder(plan.folder);
  Json record = plan.is_resumed ? read_machine_record(plan.folder) : new_machine_record(plan);
  record["run_status"] = "running";
  if (plan.is_resumed) {
    if (!record["resumed_utc"].is_array()) record["resumed_utc"] = Json::array();
    record["resumed_utc"].push_back(utc_now());
  }
  write_machine_record(plan.folder, record);
  const std::string doubt = doubt_of_build(record);
  if (!doubt.empty()) fmt::print(stderr, "muxlab: {}\n", doubt);
  Interrupts interrupts;
  LocalSides sides(std::filesystem::read_symlink("/proc/self/exe"), interrupts.fd());
  std::optional<ExitCode> signalled;
  std::exception_ptr failure;
  const Conditions before = read_conditions({}, "/");
  try {
    Measuring(plan, sides).run();
  } catch (const Interrupted&) {
    signalled = interrupts.take().value_or(ExitCode::interrupted);
  } catch (const std::exception&) {
    failure = std::current_exception();  // what was measured before is reported all the same
  }
  interrupts.let_the_next_one_end_us();
  note_throttling(throttling_words(before, read_conditions({}, "/")), record);
  const Answer found = answer_of(plan, read_records(plan.folder));
  record["run_status"] = signalled || failure ? "interrupted" : status_after(found);
  record["ended_utc"] = utc_now();
  write_machine_record(plan.folder, record);
  const Answer answer = render_answer(plan.folder);
  if (as_json) {
    fmt::print("{}\n",
               answer_json(answer, record).dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    fmt::print("{}\nReport  {}\n", answer_text(answer), (plan.folder / "report.html").string());
  }
  std::fflush(stdout);
  if (failure) std::rethrow_exception(failure);
  if (signalled) {
    fmt::print(stderr, "interrupted: go on with muxlab bench --resume {}\n", plan.folder.string());
    return *signalled;
  }
  return answer.has_failed() || !answer.is_precise() ? ExitCode::untrusted : ExitCode::ok;
}

}  // namespace muxlab
