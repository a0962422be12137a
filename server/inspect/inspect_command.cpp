#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/verbs.hpp"
#include "server/inspect/behaviour.hpp"
#include "server/inspect/feasibility.hpp"
#include "server/inspect/inspection.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string what;
  bool markdown = false;
  bool json = false;
  bool summary = false;
  std::vector<std::string> backends;
  std::string sysroot = "/";
  std::uint64_t connections = 0;  ///< 0: not asked for
};

constexpr const char* kBehaviour = "behaviour";

void check(const InspectOptions& options) {
  if (options.markdown) {
    throw Failure(ExitCode::usage, "--markdown is for muxlab inspect behaviour");
  }
  if (!std::filesystem::is_directory(options.sysroot)) {
    throw Failure(ExitCode::usage, fmt::format("--sysroot {} is not a folder", options.sysroot));
  }
}

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

ExitCode run_behaviour(const InspectOptions& options) {
  if (options.what != kBehaviour) {
    throw Failure(ExitCode::usage, fmt::format("muxlab inspect {}: there is {}, or nothing for the "
                                               "machine",
                                               options.what, kBehaviour));
  }
  const Json atlas = behaviour::make_atlas();
  if (options.json) {
    print_json(atlas);
  } else {
    fmt::print("{}", options.markdown ? behaviour::atlas_markdown(atlas)
                                      : behaviour::atlas_text(atlas, TextLayout::of_stdout()));
  }
  return ExitCode::ok;
}

ExitCode run_inspect(const InspectOptions& options) {
  if (!options.what.empty()) return run_behaviour(options);
  check(options);
  const auto chosen = backends_named(options.backends);
  const bool asked = options.connections > 0;
  const Json found = inspect_machine(chosen, options.sysroot,
                                     asked ? std::optional(options.connections) : std::nullopt);
  if (options.json) {
    print_json(found);
  } else if (asked) {
    fmt::print("{}", feasibility_text(found["feasibility"], TextLayout::of_stdout()));
  } else if (options.summary) {
    fmt::print("{}", inspection_summary(found));
  } else {
    fmt::print("{}", inspection_text(found, TextLayout::of_stdout()));
  }
  if (asked && !found["feasibility"]["possible"]) return ExitCode::unavailable;
  const auto works = [](const Json& backend) { return backend["status"] == "works"; };
  const bool enough = options.backends.empty() ? std::ranges::any_of(found["backends"], works)
                                               : std::ranges::all_of(found["backends"], works);
  return enough ? ExitCode::ok : ExitCode::unavailable;
}

void explain_inspect(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "Each backend is constructed, and a server on it echoes a message. Each feature of "
           "epoll, io_uring and libevent is used once. A failure is shown with its reason and its "
           "cure. Exit code 3 if no backend works.",
       .examples = {{"muxlab inspect --summary", "what works, in one line"},
                    {"muxlab inspect --for 10k",
                     "can this machine run 10,000 connections, and what to change: as commands"},
                    {"muxlab inspect behaviour",
                     "reports of each way of waiting in each state of a socket"}},
       .files = {{"/proc, /sys", "facts about the machine; see --sysroot"}},
       .environment = {{"EVENT_NOEPOLL, EVENT_NOPOLL, EVENT_NOSELECT",
                        "libevent leaves out a method; inspect shows those in force"},
                       {"NO_COLOR", "no colour, not even on a terminal"},
                       {"COLUMNS", "maximum width of lines"}}});
}

}  // namespace

void add_inspect(CLI::App& program, ExitCode& exit_code) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App& verb =
      cli::add_verb(program, "inspect", "Show which backends work on this machine, and why not",
                    [options, &exit_code] { exit_code = run_inspect(*options); });
  auto what = cli::add_text(verb, "behaviour", options->what, "",
                            "Reports of each way of waiting in each state of a descriptor, "
                            "made live; instead of the machine");
  what.suggests({kBehaviour});
  auto json =
      cli::add_flag(verb, "--json", options->json, "One JSON object on stdout, with all results");
  auto summary = cli::add_flag(verb, "--summary", options->summary, "One line");
  auto feasible = cli::add_count(verb, "--for", options->connections, {1, 1'000'000'000},
                                 "Whether each backend can have so many connections, and the "
                                 "commands to allow them; exit code 3 unless all can");
  feasible.shows_default("");
  auto backends = cli::add_list(verb, "--backends", options->backends,
                                "Only these; exit code 3 unless all of them work");
  backends.suggests(names_of(muxlab::backends()));
  auto sysroot = cli::add_text(
      verb, "--sysroot", options->sysroot, "DIR",
      "Folder with /proc and /sys of another machine; features are tried on this one");
  auto markdown =
      cli::add_flag(verb, "--markdown", options->markdown, "With behaviour: as Markdown");
  summary.excludes(json).excludes(feasible);
  markdown.excludes(json);
  for (const auto& other : {summary, feasible, backends, sysroot}) what.excludes(other);
  explain_inspect(verb);
}

}  // namespace muxlab
