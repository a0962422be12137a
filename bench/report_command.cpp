#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "backends/failure.hpp"
#include "bench/report/answer_files.hpp"
#include "bench/report/answer_text.hpp"
#include "bench/verbs.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

struct ReportCommand {
  std::string folder;
  bool json = false;
};

void run_report(const ReportCommand& command) {
  const Answer answer = render_answer(command.folder);
  if (command.json) {
    fmt::print("{}\n", answer_json(answer, read_machine_record(command.folder))
                           .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  } else {
    const std::filesystem::path folder = command.folder;
    fmt::print("{}\nReport  {}\n", answer_text(answer), (folder / "report.html").string());
  }
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
      [command, &exit_code] {
        run_report(*command);
        exit_code = ExitCode::ok;
      });
  cli::add_text(verb, "DIR", command->folder, "DIR", "A folder that muxlab bench wrote").required();
  cli::add_flag(verb, "--json", command->json, "Print one JSON object, as muxlab bench --json");
  explain_report(verb);
}

}  // namespace muxlab
