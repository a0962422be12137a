#include <signal.h>

#include <memory>

#include "backends/parts/failure.hpp"
#include "backends/parts/say.hpp"
#include "bench/report/answer_files.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/interrupts.hpp"
#include "server/cli/verbs.hpp"

namespace muxlab {
namespace {

struct ReportCommand {
  std::string folder;
  bool json = false;
};

ExitCode run_report(const ReportCommand& command) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader of stdout that went away takes no picture away
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
       .files = {{"DIR/machine.json, DIR/records.csv", "what is read"},
                 {"DIR/comparisons.csv, DIR/summary.csv, DIR/plots, DIR/report.html, DIR/report.md",
                  "what is written"},
                 {"PREFIX/share/muxlab/plots", "gnuplot files, for PREFIX/bin/muxlab"}}});
}

}  // namespace

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
