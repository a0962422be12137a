#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "backends/parts/say.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/verbs.hpp"
#include "server/trace/trace.hpp"

namespace muxlab {
namespace {

struct TraceOptions {
  std::string backend = "epoll-lt";
  std::optional<std::string> script;
  std::optional<std::string> versus;
  bool json = false;
};

const Backend& traced_backend(const std::string& name) {
  if (const Backend* backend = find_backend(name)) return *backend;
  std::string names;
  for (const Backend* backend : backends()) names += fmt::format(" {}", backend->name);
  throw Failure(ExitCode::usage, fmt::format("unknown backend {}: there are{}", name, names));
}

std::string read_all(std::istream& stream) { return {std::istreambuf_iterator<char>(stream), {}}; }

std::vector<trace::Step> script_of(const TraceOptions& options) {
  if (!options.script) return trace::parse_script(trace::kDefaultScript, "default");
  if (*options.script == "-") return trace::parse_script(read_all(std::cin), "stdin");
  std::ifstream file(*options.script);
  std::string text;
  if (file) text = read_all(file);
  if (!file) {
    throw Failure(ExitCode::usage, fmt::format("--script {} cannot be read: name a file with steps "
                                               "such as \"connect a\", or - for stdin",
                                               *options.script));
  }
  return trace::parse_script(text, *options.script);
}

void warn_of_motion(const trace::Trace& trace) {
  if (trace.stood_still) return;
  say_at_once(
      "{} ran between two steps without a wait, as on a busy machine or below a debugger: another "
      "trace may differ",
      trace.backend);
}

void run_trace(const TraceOptions& options) {
  const std::vector<trace::Step> steps = script_of(options);
  std::vector<const Backend*> chosen = {&traced_backend(options.backend)};
  if (options.versus) chosen.push_back(&traced_backend(*options.versus));
  std::vector<trace::Trace> traces;
  for (const Backend* backend : chosen) {
    traces.push_back(trace::make_trace(*backend, steps));
    warn_of_motion(traces.back());
  }
  if (options.json) {
    fmt::print("{}\n", trace::traces_json(traces, steps).dump(2));
  } else if (options.versus) {
    fmt::print("{}", trace::versus_text(traces[0], traces[1], TextLayout::of_stdout()));
  } else {
    fmt::print("{}", trace::trace_text(traces[0], TextLayout::of_stdout()));
  }
}

void explain_trace(CLI::App& verb) {
  cli::explain(
      verb,
      {.description = "A server with one thread serves clients that follow a script. A line is a "
                      "system call and its result, or a step of a client.",
       .examples = {{"muxlab trace --backend epoll-et", "one backend, on the default script"},
                    {"muxlab trace --backend epoll-lt --versus io-uring",
                     "two side by side, with differences marked"}},
       .details = trace::script_help()});
}

}  // namespace

void add_trace(CLI::App& program, ExitCode& exit_code) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App& verb = cli::add_verb(program, "trace",
                                 "Show each system call of a server, and the steps of its clients",
                                 [options, &exit_code] {
                                   run_trace(*options);
                                   exit_code = ExitCode::ok;
                                 });
  cli::add_text(verb, "--backend", options->backend, "NAME",
                "Way of waiting; muxlab inspect lists them")
      .suggests(names_of(backends()));
  cli::add_text(verb, "--script", options->script, "FILE",
                "Steps of the clients, one on each line; - is stdin");
  cli::add_text(verb, "--versus", options->versus, "NAME",
                "Trace this backend too, side by side, and mark differences")
      .suggests(names_of(backends()));
  cli::add_flag(verb, "--json", options->json, "One JSON object on stdout");
  explain_trace(verb);
}

}  // namespace muxlab
