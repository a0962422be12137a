#include "bench/report_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "bench/campaign_report.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

struct ReportCommand {
  std::string folder;
  bool png = false;
  bool terminal = false;
};

void run_report(const ReportCommand& command) {
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
       .examples = {{"muxlab report muxlab-results/throughput-2026-01-31T12-00-00Z",
                     "make everything of this campaign again"}},
       .files = {{"DIR/trials.csv", "what is read"},
                 {"DIR/summary.csv, DIR/comparisons.csv, DIR/plots, DIR/report.html, DIR/report.md",
                  "what is written"},
                 {"PREFIX/share/muxlab/plots", "gnuplot files, for PREFIX/bin/muxlab"}}});
}

}  // namespace

void add_report(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<ReportCommand>();
  CLI::App& verb = cli::add_verb(
      program, "report",
      "Rebuild report.html, report.md, the tables and the plots of a folder of results from its "
      "trials.csv",
      [command, &exit_code] {
        run_report(*command);
        exit_code = ExitCode::ok;
      });
  cli::add_text(verb, "DIR", command->folder, "DIR", "A folder that muxlab bench wrote").required();
  cli::add_flag(verb, "--png", command->png, "Draw PNG files beside the SVG ones");
  cli::add_flag(verb, "--terminal", command->terminal, "Also draw the plots with characters");
  explain_report(verb);
}

}  // namespace muxlab
