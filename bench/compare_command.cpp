#include "bench/compare_command.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/compare_folders.hpp"
#include "bench/compare_text.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

struct CompareCommand {
  std::string before, after;
  std::string threshold = "3%";
  bool json = false;
};

/// "3%" or "3" as 0.03.
double parse_percent(const std::string& text) {
  std::string_view digits = text;
  if (digits.ends_with('%')) digits.remove_suffix(1);
  double percent = -1;
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, percent, std::chars_format::fixed);
  if (parsed.ec == std::errc{} && parsed.ptr == end && percent >= 0 && percent <= 1000) {
    return percent / 100;
  }
  throw Failure(ExitCode::usage,
                fmt::format("--threshold \"{}\" is not a percentage such as 3% or 0.5%", text));
}

ExitCode run_compare(const CompareCommand& command) {
  const FolderComparison both =
      compare_folders(command.before, command.after, parse_percent(command.threshold));
  for (const std::string& caution : both.cautions) {
    fmt::print(stderr, "muxlab: caution: {}\n", caution);
  }
  fmt::print("{}", command.json ? comparison_json(both).dump(2) + "\n" : comparison_text(both));
  std::fflush(stdout);
  return both.count(ChangeVerdict::regressed) > 0 ? ExitCode::regressed : ExitCode::ok;
}

void explain_compare(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "It looks at the CPU time and the system calls of an echo, and at throughput where the "
           "client did not bound it. What it says changed is certain whatever the number of "
           "comparisons, and more than --threshold. It says when the machines differ.",
       .examples = {{"muxlab compare results-of-yesterday results-of-today --threshold 5%",
                     "exit code 5 if anything became more than 5% dearer"}},
       .files = {{"DIR/trials.csv, DIR/machine.json", "what is read of both"}}});
}

}  // namespace

void add_compare(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<CompareCommand>();
  CLI::App& verb = cli::add_verb(
      program, "compare",
      "Tell what became cheaper or dearer from one folder of results to another; exit "
      "code 5 when something regressed",
      [command, &exit_code] { exit_code = run_compare(*command); });
  cli::add_text(verb, "BEFORE", command->before, "DIR", "A folder that muxlab bench wrote")
      .required();
  cli::add_text(verb, "AFTER", command->after, "DIR", "Another, of the same experiment").required();
  cli::add_text(verb, "--threshold", command->threshold, "PERCENT",
                "A change that is no greater is none");
  cli::add_flag(verb, "--json", command->json, "Write one JSON object instead of text");
  explain_compare(verb);
}

}  // namespace muxlab
