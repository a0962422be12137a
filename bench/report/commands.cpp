#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "backends/parts/failure.hpp"
#include "backends/parts/say.hpp"
#include "bench/analysis/change.hpp"
#include "bench/report/answer_files.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/interrupts.hpp"
#include "server/cli/verbs.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

struct CompareCommand {
  std::string before, after;
  double threshold = 0.03;
  bool json = false;
};

/// Conditions that make two campaigns differ although the program is the same.
constexpr std::array kConditions = {"/machine/cpu_model",      "/machine/processors_online",
                                    "/machine/kernel_release", "/machine/tcp_congestion_control",
                                    "/machine/compiler",       "/machine/build/type",
                                    "/machine/libraries",      "/plan/isolated",
                                    "/plan/time_calls"};

std::vector<std::string> cautions_of(const Results& before, const Results& after) {
  std::vector<std::string> cautions;
  for (const char* const condition : kConditions) {
    const Json first = value_at(before.machine, condition);
    const Json second = value_at(after.machine, condition);
    if (first == second || first.is_null() || second.is_null()) continue;
    cautions.push_back(
        fmt::format("{} differs: {} and {}", condition + 1, first.dump(), second.dump()));
  }
  for (const Results* results : {&before, &after}) {
    const auto status = results->machine.at("run_status").get<std::string>();
    if (status != "complete") {
      cautions.push_back(fmt::format("the campaign in {} is {}", results->folder.string(), status));
    }
    if (const std::string doubt = doubt_of_build(results->machine); !doubt.empty()) {
      cautions.push_back(fmt::format("{}: {}", results->folder.string(), doubt));
    }
  }
  if (before.answer.plan.baseline() != after.answer.plan.baseline()) {
    cautions.push_back(fmt::format(
        "the baselines differ: {} and {}, so that all figures are compared as they are, with what "
        "the machine was like",
        before.answer.plan.baseline(), after.answer.plan.baseline()));
  }
  return cautions;
}

std::size_t count(std::span<const Change> changes, ChangeVerdict verdict) {
  return static_cast<std::size_t>(std::ranges::count(changes, verdict, &Change::verdict));
}

std::string value_words(const Change& change, double value) {
  if (change.is_relative) return fmt::format("x{:.3f}", value);
  if (change.figure == "syscalls_per_echo") return fmt::format("{:.3f}", value);
  return fmt::format("{:.2f} us", value / 1000);
}

std::string percent_words(double ratio) {
  return std::isfinite(ratio) ? fmt::format("{:+.1f} %", 100 * (ratio - 1)) : "?";
}

std::string change_words(const Change& change) {
  return fmt::format("{} ({} to {})", percent_words(change.ratio.ratio),
                     percent_words(change.ratio.low), percent_words(change.ratio.high));
}

std::string text_of(const Results& before, const Results& after, std::span<const Change> changes,
                    double threshold) {
  std::string text = fmt::format(
      "{} against {}; x: relative to {}; intervals that hold together with 95 % for each figure\n",
      one_line(after.folder.string()), one_line(before.folder.string()),
      after.answer.plan.baseline());
  std::string figure;
  for (const Change& change : changes) {
    if (change.verdict == ChangeVerdict::same) continue;
    if (change.figure != figure) {
      figure = change.figure;
      text += fmt::format("\n{:<40} {:>10} {:>10}  {}\n", figure, "before", "after", "change");
    }
    text += fmt::format("{:<40} {:>10} {:>10}  {}  {}\n",
                        fmt::format("{}, {}", change.contender, name_of_load(change.load.cell)),
                        value_words(change, change.before), value_words(change, change.after),
                        change_words(change), name_of(change.verdict));
  }
  return text + fmt::format(
                    "\n{} comparisons: {} regressed and {} improved by more than {:g} %, {} stayed "
                    "within it, {} are unclear.\n",
                    changes.size(), count(changes, ChangeVerdict::regressed),
                    count(changes, ChangeVerdict::improved), 100 * threshold,
                    count(changes, ChangeVerdict::same), count(changes, ChangeVerdict::unclear));
}

Json side_json(const Results& results) {
  return {{"folder", results.folder.string()},
          {"started_utc", results.machine.at("started_utc")},
          {"baseline", results.answer.plan.baseline()}};
}

Json json_of(const Results& before, const Results& after, std::span<const Change> changes,
             double threshold, const std::vector<std::string>& cautions) {
  Json all = Json::array();
  for (const Change& change : changes) {
    Json one = {{"backend", change.contender}, {"metric", change.figure}};
    one.update(load_json(change.load));
    one.update(Json{{"relative", change.is_relative},
                    {"before", change.before},
                    {"after", change.after},
                    {"ratio", number_or_null(change.ratio.ratio)},
                    {"low", number_or_null(change.ratio.low)},
                    {"high", number_or_null(change.ratio.high)},
                    {"verdict", name_of(change.verdict)}});
    all.push_back(std::move(one));
  }
  return {{"schema_version", 2},
          {"before", side_json(before)},
          {"after", side_json(after)},
          {"threshold", threshold},
          {"regressed", count(changes, ChangeVerdict::regressed)},
          {"improved", count(changes, ChangeVerdict::improved)},
          {"same", count(changes, ChangeVerdict::same)},
          {"unclear", count(changes, ChangeVerdict::unclear)},
          {"cautions", cautions},
          {"changes", std::move(all)}};
}

ExitCode run_compare(const CompareCommand& command) {
  const Results before(command.before);
  const Results after(command.after);
  std::vector<Change> changes = compare_answers(before.answer, before.records, after.answer,
                                                after.records, command.threshold);
  if (changes.empty()) {
    throw Failure(ExitCode::usage,
                  fmt::format("cannot compare {} with {}: no backend was measured in both at the "
                              "same load, in two rigs or more",
                              command.before, command.after));
  }
  std::ranges::stable_sort(changes, {}, &Change::figure);
  const std::vector<std::string> cautions = cautions_of(before, after);
  for (const std::string& caution : cautions) say("caution: " + caution);
  if (command.json) {
    fmt::print("{}\n", json_of(before, after, changes, command.threshold, cautions)
                           .dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    fmt::print("{}", text_of(before, after, changes, command.threshold));
  }
  std::fflush(stdout);
  return count(changes, ChangeVerdict::regressed) > 0 ? ExitCode::regressed : ExitCode::ok;
}

void explain_compare(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "It compares CPU time and latency relative to the baseline, so that a machine that is "
           "slower on another day does not matter; those of the baseline itself and system calls "
           "per echo as they are. Intervals hold together for all comparisons of a figure, and "
           "a figure counts as changed if its whole interval lies beyond --threshold. A note says "
           "if the machines differ.",
       .examples = {{"muxlab compare results-of-yesterday results-of-today --threshold 5%",
                     "exit code 5 if anything became more than 5 % more expensive"}},
       .files = {{"DIR/records.csv, DIR/machine.json", "read from both folders"}}});
}

struct ReportCommand {
  std::string folder;
  bool json = false;
};

ExitCode run_report(const ReportCommand& command) {
  ::signal(SIGPIPE, SIG_IGN);  // draw the pictures even if the reader of stdout has gone
  Interrupts interrupts;
  const Report report(command.folder);
  const Report::Made made = report.make(command.json, interrupts.fd(), true);
  if (!made.missing.empty()) say(made.missing);
  if (const auto signalled = interrupts.take()) return *signalled;
  if (made.failure) std::rethrow_exception(made.failure);
  return made.missing.empty() ? ExitCode::ok : ExitCode::untrusted;
}

void explain_report(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "The page report.html has everything in it and needs no network: the answer first, then "
           "whether to believe it, the pictures, and what bounded each point. report.md is the "
           "same as text. The plots are drawn with gnuplot, after all else is "
           "written: exit code 4 when one is missing.",
       .examples = {{"muxlab report muxlab-results/default-20260131T120000Z",
                     "make everything of this campaign again"}},
       .files = {{"DIR/machine.json, DIR/records.csv", "input"},
                 {"DIR/comparisons.csv, DIR/summary.csv, DIR/plots, DIR/report.html, DIR/report.md",
                  "output"},
                 {"PREFIX/share/muxlab/plots", "gnuplot files, for PREFIX/bin/muxlab"}}});
}

}  // namespace

void add_compare(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<CompareCommand>();
  CLI::App& verb =
      cli::add_verb(program, "compare",
                    "Report changes of cost from one folder of results to another; exit "
                    "code 5 when something regressed",
                    [command, &exit_code] { exit_code = run_compare(*command); });
  cli::add_text(verb, "BEFORE", command->before, "DIR", "A folder that muxlab bench wrote")
      .required();
  cli::add_text(verb, "AFTER", command->after, "DIR", "Another, with loads in common").required();
  cli::add_percentage(verb, "--threshold", command->threshold,
                      "A change that is no greater is none");
  cli::add_flag(verb, "--json", command->json, "Write one JSON object instead of text");
  explain_compare(verb);
}

void add_report(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<ReportCommand>();
  CLI::App& verb = cli::add_verb(
      program, "report",
      "Rebuild report.html, report.md, the tables and the plots of a folder of results from its "
      "records",
      [command, &exit_code] { exit_code = run_report(*command); });
  cli::add_text(verb, "DIR", command->folder, "DIR", "A folder that muxlab bench wrote").required();
  cli::add_flag(verb, "--json", command->json, "Print one JSON object, as muxlab bench --json");
  explain_report(verb);
}

}  // namespace muxlab
