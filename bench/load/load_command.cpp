#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <random>

#include "backends/parts/say.hpp"
#include "bench/load/slice.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/interrupts.hpp"
#include "server/cli/verbs.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

struct LoadCommand {
  LoadOptions options;
  bool json = false;
  std::uint64_t rate = 0;
  std::string gaps = "poisson";
  std::optional<std::string> active_ratio;
  std::uint64_t churn = 0;
  std::string engine = "auto";
  int slices = -1;  ///< channel for the harness's commands; -1: run once as the options say
};

Gaps gaps_named(const std::string& name) {
  return name == gaps_name(Gaps::fixed) ? Gaps::fixed : Gaps::poisson;
}

LoadEngine engine_named(const std::string& name) {
  const auto found = std::ranges::find(kLoadEngineNames, name);
  return static_cast<LoadEngine>(found - kLoadEngineNames.begin());
}

/// Reads the options of an open loop.
void read_rate(const CLI::App& verb, LoadCommand& command) {
  LoadOptions& options = command.options;
  options.gaps = gaps_named(command.gaps);
  if (cli::is_given(verb, "--rate")) {
    options.rate = command.rate;
    if (!cli::is_given(verb, "--depth")) options.depth = kNoLimit;
    if (!cli::is_given(verb, "--seed")) options.seed = std::random_device()();
    return;
  }
  for (const char* const option : {"--gaps", "--seed"}) {
    if (!cli::is_given(verb, option)) continue;
    throw Failure(ExitCode::usage, fmt::format("{} is for an open loop: add --rate", option));
  }
}

/// Splits the connections into active and idle ones by --active-ratio.
void read_active_ratio(LoadCommand& command) {
  if (!command.active_ratio) return;
  const std::string& text = *command.active_ratio;
  double ratio = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), ratio);
  const bool is_number = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  if (!is_number || !(ratio > 0 && ratio <= 1)) {
    throw Failure(ExitCode::usage,
                  fmt::format("--active-ratio {}: more than 0, and at most 1", text));
  }
  LoadOptions& options = command.options;
  const std::uint64_t all = options.connections;
  const auto share = static_cast<std::uint64_t>(std::llround(static_cast<double>(all) * ratio));
  options.connections = std::max<std::uint64_t>(share, 1);
  options.idle = all - options.connections;
}

/// Runs the load and prints its results, also if connections failed.
ExitCode load(LoadCommand& command) {
  LoadOptions& options = command.options;
  if (command.slices >= 0) {
    run_sliced_load(options, command.slices);
    return ExitCode::ok;
  }
  ::signal(SIGPIPE, SIG_IGN);  // write(2) then returns EPIPE if the reader is gone
  check_options(options);
  options.target = find_target(options.connect);  // before Interrupts, so that a signal ends it
  Interrupts interrupts;
  options.interrupt = interrupts.fd();
  if (::isatty(STDERR_FILENO) != 0) {
    write_diagnostic(fmt::format("loading {} for {} after {} of warm-up\n",
                                 one_line(options.connect), cli::show_duration(options.duration),
                                 cli::show_duration(options.warmup)));
  }
  const LoadReport report = run_load(options);
  const std::string text =
      command.json ? load_json(options, report).dump(2) + "\n" : load_text(options, report);
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) throw_errno("stdout");
  const std::string failure = load_failure(report);
  if (!failure.empty()) say(failure);
  const std::vector<std::string> doubts = why_not_trusted(options, report);
  for (const std::string& doubt : doubts) say("not to be trusted: " + doubt);
  if (report.interrupted) return interrupts.take().value_or(ExitCode::interrupted);
  if (!failure.empty()) return ExitCode::failed;
  return doubts.empty() ? ExitCode::ok : ExitCode::untrusted;
}

void explain_load(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "Without --rate the load is a closed loop: each connection sends its next message when "
           "its echo is back. Use it to measure the cost of an echo. With --rate it is an open "
           "loop: messages are sent when they are due and timed from then. Use it to measure "
           "latency, because it keeps sending while the server stalls. A warning appears if the "
           "figures show the client instead of the server.",
       .examples = {{"muxlab load --connect 127.0.0.1:4711 --connections 1k --idle 9k",
                     "1,000 connections that echo among 9,000 silent ones"},
                    {"muxlab load --connect 127.0.0.1:4711 --connections 1k --rate 20k",
                     "latency at 20,000 messages per second"}}});
}

}  // namespace

void add_load(CLI::App& program, ExitCode& exit_code) {
  constexpr std::uint64_t kMany = 1'000'000;
  auto command = std::make_shared<LoadCommand>();
  LoadOptions& options = command->options;
  CLI::App& verb = cli::add_verb(
      program, "load", "Load an echo server, measure it and verify every byte that comes back",
      [&program, command, &exit_code] {
        const CLI::App& options_given = cli::verb_of(program, "load");
        read_rate(options_given, *command);
        read_active_ratio(*command);
        command->options.engine = engine_named(command->engine);
        if (cli::is_given(options_given, "--churn")) command->options.churn = command->churn;
        exit_code = load(*command);
      });
  cli::add_text(verb, "--connect", options.connect, "ADDRESS",
                "Server: HOST:PORT, [IPV6]:PORT or unix:PATH")
      .required();
  cli::add_count(verb, "--connections", options.connections, {1, kMany}, "Connections that echo")
      .required();
  const cli::Option idle = cli::add_count(verb, "--idle", options.idle, {0, kMany},
                                          "Additional connections that are open and silent");
  cli::add_text(verb, "--active-ratio", command->active_ratio, "R",
                "Share of --connections that echo, such as 0.01; the others are silent")
      .excludes(idle);
  cli::add_duration(verb, "--duration", options.duration, "How long to measure");
  cli::add_duration(verb, "--warmup", options.warmup, "How long to send before measuring");
  cli::add_size(verb, "--size", options.size_bytes, {1, 1 << 20}, "Size of a message");
  cli::add_count(verb, "--depth", options.depth, {1, 1024},
                 "Messages in flight on each connection; with --rate the maximum")
      .shows_default("1, with --rate no limit");
  cli::add_count(verb, "--churn", command->churn, {1, kMany},
                 "Echoes after which a connection is closed and replaced by a new one")
      .shows_default("connections stay open");
  cli::add_count(verb, "--rate", command->rate, {1, 100'000'000},
                 "Messages per second in all, sent when they are due: an open loop")
      .shows_default("as fast as echoes come back");
  cli::add_text(verb, "--gaps", command->gaps, "KIND",
                "Gaps between messages with --rate: poisson or fixed")
      .one_of({std::string(gaps_name(Gaps::poisson)), std::string(gaps_name(Gaps::fixed))});
  cli::add_count(verb, "--seed", options.seed, {0, UINT32_MAX},
                 "Seed for message times and connection choice with --rate")
      .shows_default("a new one");
  cli::add_count(verb, "--threads", options.threads, {1, 1024},
                 "Threads that share the connections evenly");
  cli::add_text(verb, "--engine", command->engine, "NAME",
                "How this client waits: epoll, io-uring, or auto for the cheaper that works")
      .one_of({kLoadEngineNames.begin(), kLoadEngineNames.end()});
  cli::add_text(verb, "--oracle", options.oracle, "FILE",
                "Report sent messages to an oracle server with the same --oracle");
  cli::add_flag(verb, "--json", command->json, "Write one JSON object instead of text");
  cli::add_descriptor(verb, "--slices", command->slices);
  explain_load(verb);
}

}  // namespace muxlab
