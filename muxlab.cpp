#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include "backends/build_stamp.hpp"
#include "backends/failure.hpp"
#include "bench/verbs.hpp"
#include "cli_verb.hpp"
#include "packaging/packaging_commands.hpp"
#include "server/inspect_command.hpp"
#include "server/serve_command.hpp"
#include "server/trace_command.hpp"

namespace {

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
           "have, a load client for it, and a harness that measures them against each other: what "
           "costs what, when, and why. Counts take the units k and m (10k is 10,000), sizes too "
           "(4k is 4,096), durations us, ms, s and m.",
       .examples = {{"muxlab inspect", "what this machine supports, and why not"},
                    {"muxlab bench", "measure every backend: which costs more, which less"}},
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
  throw muxlab::Failure(muxlab::ExitCode::usage,
                        argc > 1 ? fmt::format("unknown verb {}: there are{}", argv[1], verbs)
                                 : fmt::format("say what to do:{}; or see muxlab --help", verbs));
}

int run(int argc, char** argv) {
  using muxlab::ExitCode;
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
  muxlab::add_man(app, exit_code);
  explain(app);
  check_verb(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "muxlab: {}; see muxlab --help\n", error.what());
    return static_cast<int>(ExitCode::usage);
  }
  return static_cast<int>(exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  const auto fail = [](const char* reason, muxlab::ExitCode code) {
    std::fputs(("muxlab: " + std::string(reason) + "\n").c_str(), stderr);
    return static_cast<int>(code);
  };
  try {
    return run(argc, argv);
  } catch (const muxlab::Failure& failure) {
    return fail(failure.what(), failure.code());
  } catch (const std::exception& error) {
    return fail(error.what(), muxlab::ExitCode::failed);
  }
}
