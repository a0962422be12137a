#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "backends/parts/failure.hpp"
#include "backends/parts/shortage.hpp"
#include "server/cli/build_stamp.hpp"
#include "server/cli/surroundings.hpp"
#include "server/cli/verb.hpp"
#include "server/cli/verbs.hpp"

namespace {

using muxlab::ExitCode;

std::string exit_codes() {
  std::string text = "Exit codes:\n";
  for (const auto& [code, meaning] : muxlab::cli::exit_codes()) {
    text += fmt::format("  {:<10}{}\n", code, meaning);
  }
  return text;
}

std::string version() {
  return fmt::format("muxlab {}, commit {}, {}", muxlab::build_stamp.version,
                     muxlab::build_stamp.commit, muxlab::build_stamp.type);
}

void explain(muxlab::cli::Verb& program) {
  muxlab::cli::explain(
      program,
      {.description =
           "muxlab is an echo server on every way of waiting for I/O that Linux and its libraries "
           "have, a load client for it, and a harness that compares their costs. Counts take the "
           "units k and m (10k is 10,000), sizes too (4k is 4,096), durations us, ms, s and m.",
       .examples = {{"muxlab inspect", "which backends work on this machine, and why not"},
                    {"muxlab bench", "measure every backend, and compare their costs"}},
       .files = {{"muxlab-results", "folder that muxlab bench makes its folders of results in"}},
       .environment = {{"NO_COLOR", "no colour, on a terminal either"},
                       {"COLUMNS", "the width that lines end at"}}});
}

void check_verb(const CLI::App& app, int argc, char** argv) {
  std::string verbs;
  for (const CLI::App* verb : app.get_subcommands({})) {
    if (argc > 1 && verb->get_name() == argv[1]) return;
    verbs += " " + verb->get_name();
  }
  if (argc > 1 && argv[1][0] == '-') return;
  throw muxlab::Failure(
      ExitCode::usage,
      argc > 1 ? fmt::format("unknown verb {}: there are{}", argv[1], verbs)
               : fmt::format("a verb is missing: there are{}; see muxlab --help", verbs));
}

ExitCode run(int argc, char** argv) {
  muxlab::cli::Verb app("Compare the ways of waiting for I/O on this machine", "muxlab");
  app.set_version_flag("--version", version(), "Show the version and the commit");
  app.footer(exit_codes());
  app.require_subcommand(1);
  ExitCode exit_code = ExitCode::ok;
  muxlab::add_inspect(app, exit_code);
  muxlab::add_serve(app, exit_code);
  muxlab::add_trace(app, exit_code);
  muxlab::add_load(app, exit_code);
  muxlab::add_bench(app, exit_code);
  muxlab::add_report(app, exit_code);
  muxlab::add_compare(app, exit_code);
  muxlab::add_completions(app, exit_code);
  explain(app);
  check_verb(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // for the help text or the version
    app.exit(asked);
  } catch (const CLI::ParseError& error) {
    throw muxlab::Failure(ExitCode::usage, fmt::format("{}; see muxlab --help", error.what()));
  }
  return exit_code;
}

/// The exit code of the program, and the reason to print.
struct End {
  ExitCode code = ExitCode::ok;
  std::string reason = {};
  int output_error = 0;  ///< errno of a write to stdout that failed
};

/// Reports a failed write to stdout as such, whatever text the library gives it.
End end_of(const std::system_error& error) {
  const std::string_view what = error.what();
  const bool is_of_output = what.starts_with("cannot write to file") || what.starts_with("stdout");
  if (is_of_output && std::ferror(stdout) != 0) return {.output_error = error.code().value()};
  const bool is_short = muxlab::shortage_of(error).has_value();
  return {is_short ? ExitCode::unavailable : ExitCode::failed, muxlab::explain(error)};
}

End run_to_the_end(int argc, char** argv) try {
  muxlab::settle_surroundings();
  return {run(argc, argv)};
} catch (const muxlab::Failure& failure) {
  return {failure.code(), failure.what()};
} catch (const std::system_error& error) {
  return end_of(error);
} catch (const std::bad_alloc&) {
  const muxlab::Shortage memory = muxlab::shortage_of_memory();
  return {ExitCode::unavailable, memory.reason + "; " + memory.cure};
} catch (const std::exception& error) {
  return {ExitCode::failed, error.what()};
}

void report(const std::string& reason) { std::fputs(("muxlab: " + reason + '\n').c_str(), stderr); }

}  // namespace

int main(int argc, char** argv) {
  End end = run_to_the_end(argc, argv);
  if (!end.reason.empty()) report(end.reason);
  const std::string lost = muxlab::lost_output(end.output_error);
  if (!lost.empty()) {
    report(lost);
    const bool is_success = end.code == ExitCode::ok || end.code == ExitCode::untrusted ||
                            end.code == ExitCode::regressed;
    if (is_success) end.code = ExitCode::unavailable;
  }
  return static_cast<int>(end.code);
}
