#include "bench/report_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "bench/campaign_report.hpp"
#include "bench/summary_table.hpp"

namespace muxlab {

void add_report(CLI::App& program, ExitCode& exit_code) {
  CLI::App& verb = *program.add_subcommand(
      "report", "Rebuild summary.csv and the plots of a folder of results from its trials.csv");
  auto folder = std::make_shared<std::string>();
  verb.add_option("DIR", *folder, "A folder that muxlab bench wrote")->required();
  verb.callback([folder, &exit_code] {
    const Report report = render_report(*folder);
    fmt::print("{}{} plots in {}/plots\n", summary_table(report.summary, report.caution),
               report.plots, *folder);
    std::fflush(stdout);
    exit_code = ExitCode::ok;
  });
}

}  // namespace muxlab
