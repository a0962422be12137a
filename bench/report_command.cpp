#include "bench/report_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "backends/failure.hpp"
#include "bench/campaign_report.hpp"
#include "bench/report/answer_files.hpp"
#include "bench/report/answer_text.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

struct ReportCommand {
  std::string folder;
  bool png = false;
  bool terminal = false;
  bool json = false;
};

void run_sliced_report(const ReportCommand& command) {
  if (command.png || command.terminal) {
    throw Failure(ExitCode::usage,
                  "--png and --terminal are for results in trials: leave them out");
  }
  const Answer answer = render_answer(command.folder);
  if (command.json) {
    fmt::print("{}\n", answer_json(answer, read_machine_record(command.folder))
                           .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    fmt::print("{}\nReport  {}/report.html\n", answer_text(answer), command.folder);
  }
  std::fflush(stdout);
}

void run_report(const ReportCommand& command) {
  if (is_sliced(command.folder)) return run_sliced_report(command);
  if (command.json) {
    throw Failure(ExitCode::usage, "--json is for results in slices: leave it out");
  }
  const Report report =
      render_report(command.folder, command.png ? PlotFormat::png : PlotFormat::svg);
  if (command.terminal) {
    for (const Plot& plot : report.plots) {
      fmt::print("{}", draw_as_text(command.folder, plot, report.frame));
    }
  }
  fmt::print("{}{}", report_text(report), report.where());
  std::fflush(stdout);
}

void explain_report(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "The page report.html has everything in it and needs no network: the answer first, then "
           "whether to believe it, the pictures, and what bounded each point. report.md is the "
           "same as text. The plots are drawn with gnuplot.",
       .examples = {{"muxlab report muxlab-results/default-20260131T120000Z",
                     "make everything of this campaign again"}},
       .files = {{"DIR/machine.json, DIR/records.csv", "what is read; of trials DIR/trials.csv"},
                 {"DIR/comparisons.csv, DIR/plots, DIR/report.html, DIR/report.md",
                  "what is written; of trials DIR/summary.csv too"},
                 {"PREFIX/share/muxlab/plots", "gnuplot files, for PREFIX/bin/muxlab"}}});
}

}  // namespace

void add_report(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<ReportCommand>();
  CLI::App& verb = cli::add_verb(
      program, "report",
      "Rebuild report.html, report.md, the tables and the plots of a folder of results from its "
      "records or trials",
      [command, &exit_code] {
        run_report(*command);
        exit_code = ExitCode::ok;
      });
  cli::add_text(verb, "DIR", command->folder, "DIR", "A folder that muxlab bench wrote").required();
  cli::add_flag(verb, "--png", command->png, "Draw PNG files beside the SVG ones");
  cli::add_flag(verb, "--terminal", command->terminal, "Also draw the plots with characters");
  cli::add_flag(verb, "--json", command->json, "Print one JSON object, as muxlab bench --json");
  explain_report(verb);
}

}  // namespace muxlab
