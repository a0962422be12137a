#include "bench/report_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "bench/campaign_report.hpp"
#include "cli.hpp"

namespace muxlab {

void add_report(CLI::App& program, ExitCode& exit_code) {
  auto folder = std::make_shared<std::string>();
  CLI::App& verb = cli::add_verb(
      program, "report",
      "Rebuild summary.csv and the plots of a folder of results from its trials.csv",
      [folder, &exit_code] {
        const Report report = render_report(*folder);
        fmt::print("{}{} plots in {}/plots\n", report_text(report), report.plots, *folder);
        std::fflush(stdout);
        exit_code = ExitCode::ok;
      });
  cli::add_text(verb, "DIR", *folder, "DIR", "A folder that muxlab bench wrote").required();
}

}  // namespace muxlab
