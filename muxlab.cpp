#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "backends/failure.hpp"
#include "bench/bench_command.hpp"
#include "bench/compare_command.hpp"
#include "bench/load_command.hpp"
#include "bench/report_command.hpp"
#include "server/inspect_command.hpp"
#include "server/serve_command.hpp"
#include "server/trace_command.hpp"

namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 fine, 1 failed, 2 usage, 3 backend or resource not available here,\n"
    "4 finished but some points failed or cannot be trusted, 5 compare found a regression,\n"
    "130/143 interrupted.";

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
  CLI::App app{"muxlab compares the ways of waiting for I/O on this machine."};
  app.name("muxlab");
  app.footer(kExitCodes);
  app.require_subcommand(1);
  ExitCode exit_code = ExitCode::ok;
  muxlab::add_inspect(app, exit_code);
  muxlab::add_serve(app, exit_code);
  muxlab::add_trace(app, exit_code);
  muxlab::add_load(app, exit_code);
  muxlab::add_bench(app, exit_code);
  muxlab::add_report(app, exit_code);
  muxlab::add_compare(app, exit_code);
  check_verb(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
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
