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
}

}  // namespace muxlab
