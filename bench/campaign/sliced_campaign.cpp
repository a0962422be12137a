#include "bench/campaign/sliced_campaign.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "backends/parts/say.hpp"
#include "bench/report/answer_files.hpp"
#include "server/cli/interrupts.hpp"
#include "server/cli/text_layout.hpp"
#include "server/cli/words.hpp"

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

/// Never waits: drops text that stderr does not take.
void write_progress(std::string_view text) { write_diagnostic(text, 0); }

/// Measures the loads one after the other. In the default run the next load gets the time that a
/// load leaves, and loses the time that it overran, so the whole run ends on time.
class Measuring {
 public:
  Measuring(const SlicedPlan& plan, Sides& sides)
      : plan_(plan),
        sides_(sides),
        progress_(plan, write_progress, stderr_is_terminal(),
                  terminal_columns(STDERR_FILENO).value_or(80)) {
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
            progress_.show(progress, progress.left_s + later_s);
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
  say(words);
}

/// machine.json of the campaign, and the right to write into its folder.
struct Begun {
  FolderLock lock;
  Json record;
};

/// A new folder has all its files from its first moment.
Begun begin(const SlicedPlan& plan) {
  Json record = new_machine_record(plan);
  FolderLock lock = create_result_folder(plan.folder, [&](const std::filesystem::path& folder) {
    write_machine_record(folder, record);
    write_records(folder, {});
  });
  return {std::move(lock), std::move(record)};
}

Begun go_on(const SlicedPlan& plan) {
  FolderLock lock(plan.folder);
  Json record = read_machine_record(plan.folder);
  if (is_complete(record)) {  // by a process that has had the lock since it was planned
    throw Failure(ExitCode::usage,
                  fmt::format("--resume {}: it is complete", plan.folder.string()));
  }
  record["run_status"] = "running";
  if (!record["resumed_utc"].is_array()) record["resumed_utc"] = Json::array();
  record["resumed_utc"].push_back(utc_now());
  write_machine_record(plan.folder, record);
  return {std::move(lock), std::move(record)};
}

/// How measuring ended.
struct Measured {
  std::optional<ExitCode> signalled;
  std::exception_ptr failure;
};

Measured measure(const SlicedPlan& plan, Interrupts& interrupts) {
  // A child finds this program there, even if its file was replaced or removed.
  LocalSides sides("/proc/self/exe", interrupts.fd());
  try {
    Measuring(plan, sides).run();
  } catch (const Interrupted&) {
    return {.signalled = interrupts.take().value_or(ExitCode::interrupted), .failure = nullptr};
  } catch (const std::exception&) {
    return {.signalled = {}, .failure = std::current_exception()};
  }
  return {};
}

/// Whatever ended the measuring.
ExitCode report_on(const SlicedPlan& plan, bool as_json, const Measured& measured,
                   Interrupts& interrupts) {
  const Report report(plan.folder);
  const Report::Made made = report.make(as_json, interrupts.fd(), !measured.signalled);
  if (!made.missing.empty()) say(made.missing);
  if (measured.signalled) {
    say(fmt::format("interrupted: go on with muxlab bench --resume {}; no pictures were drawn",
                    shell_word(plan.folder.string())));
  }
  if (measured.failure) std::rethrow_exception(measured.failure);
  if (made.failure) std::rethrow_exception(made.failure);
  if (measured.signalled) return *measured.signalled;
  // A signal that ends the drawing is the user's wish, and the campaign is complete.
  const bool is_drawn = interrupts.take() || made.missing.empty();
  const Answer& answer = report.answer();
  return answer.has_failed() || !answer.is_precise() || !is_drawn ? ExitCode::untrusted
                                                                  : ExitCode::ok;
}

}  // namespace

ExitCode run_sliced_campaign(const SlicedPlan& plan, bool as_json) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader of stdout that went away ends no campaign
  Begun begun = plan.is_resumed ? go_on(plan) : begin(plan);
  Json& record = begun.record;
  const std::string doubt = doubt_of_build(record);
  if (!doubt.empty()) say(doubt);
  Interrupts interrupts;
  const Conditions before = read_conditions({}, "/");
  const Measured measured = measure(plan, interrupts);
  if (measured.signalled) interrupts.let_the_next_one_end_us();
  note_throttling(throttling_words(before, read_conditions({}, "/")), record);
  const bool has_failed = answer_of(plan, read_records(plan.folder)).has_failed();
  record["run_status"] = measured.signalled || measured.failure ? "interrupted"
                         : has_failed                           ? "complete_with_failures"
                                                                : "complete";
  record["ended_utc"] = utc_now();
  write_machine_record(plan.folder, record);
  return report_on(plan, as_json, measured, interrupts);
}

SlicedProgress::SlicedProgress(const SlicedPlan& plan, Write write, bool terminal,
                               std::size_t columns)
    : plan_(plan), write_(write), terminal_(terminal), columns_(columns) {
  if (!terminal) due_ += std::chrono::seconds(10);
}

SlicedProgress::~SlicedProgress() {
  if (terminal_) write_("\r\033[K");
}

void SlicedProgress::show(const LoadProgress& progress, double left_s) {
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) return;
  const Answer so_far = progress.so_far();
  const auto took = std::chrono::steady_clock::now() - now;
  const auto pause = terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(10);
  due_ = now + std::max<std::chrono::nanoseconds>(pause, 50 * took);  // measuring comes first
  std::string line = fmt::format(
      "load {} of {}, {}: {:.0f} %, at most {} left; ", progress.load + 1, plan_.loads.size(),
      name_of_load(plan_.loads[progress.load].cell), 100 * progress.share,
      show_time(std::chrono::nanoseconds(std::llround(left_s * 1e9))));
  const std::size_t room = columns_ > line.size() + 1 ? columns_ - line.size() - 1 : 0;
  line += interim_words(so_far, progress.load, terminal_ ? room : 160);
  // In the last column the cursor would go to the next line on some terminals.
  write_(terminal_ ? fmt::format("\r\033[K{}", cut_to(line, columns_ - 1))
                   : fmt::format("muxlab: {}\n", line));
}

}  // namespace muxlab
