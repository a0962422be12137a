#include <fmt/format.h>

#include <cstdio>

#include "backends/backend.hpp"
#include "backends/parts/say.hpp"
#include "backends/serve_options.hpp"
#include "bench/campaign/sliced_campaign.hpp"
#include "bench/data/files.hpp"
#include "bench/load/connections.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/verbs.hpp"

namespace muxlab {
namespace {

/// The values of the options; a value counts only if its option was given.
struct BenchCommand {
  std::vector<std::string> experiments;
  SlicedRequest request;
  bool quick = false, list = false, dry_run = false, json = false;
  std::uint64_t depth = 0, seed = 0;
  std::chrono::nanoseconds load_time{0};
  double precision = 0;
  std::string folder, resumed;
};

constexpr std::chrono::seconds kQuick{5}, kShortest{1};
constexpr std::chrono::hours kLongest{24};

std::vector<std::string> known_backends() {
  std::vector<std::string> names = names_of(backends());
  const std::vector<std::string> others = names_of(controls());
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

/// The command line as it was typed, from proc(5): CLI11 does not keep it.
std::vector<std::string> own_command_line() {
  const std::string all = read_whole("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find('\0', begin), all.size());
    words.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

SlicedRequest request_of(const CLI::App& verb, const BenchCommand& command) {
  const auto given = [&verb](const char* option, const auto& value) {
    return cli::is_given(verb, option) ? std::optional(value) : std::nullopt;
  };
  SlicedRequest request = command.request;
  if (!command.experiments.empty()) {
    request.experiment = &find_experiment(command.experiments.front());
  }
  auto load_time = given("--for", command.load_time);
  if (command.quick) load_time = kQuick;
  if (load_time && (*load_time < kShortest || *load_time > kLongest)) {
    throw Failure(ExitCode::usage, fmt::format("--for {}: a load takes from 1s to 24 hours",
                                               cli::show_duration(*load_time)));
  }
  if (load_time) request.for_s = std::chrono::duration<double>(*load_time).count();
  request.depth = given("--depth", command.depth);
  request.seed = given("--seed", command.seed);
  request.precision = given("--precision", command.precision);
  if (cli::is_given(verb, "--out")) {
    if (command.folder.empty()) throw Failure(ExitCode::usage, "--out \"\": name a folder");
    request.folder = command.folder;
  }
  request.command_line = own_command_line();
  return request;
}

void list_experiments() {
  fmt::print(
      "Without an experiment: what a server costs per echo, in slices, at few connections, "
      "at many busy ones and among many silent ones.\n\n");
  for (const Experiment& experiment : experiments()) {
    fmt::print("{}\n  {}\n", experiment.name, experiment.question);
  }
}

void refuse_beside(const CLI::App& verb, std::initializer_list<const char*> options,
                   const std::string& why) {
  for (const char* const option : options) {
    if (cli::is_given(verb, option)) {
      throw Failure(ExitCode::usage, fmt::format("{}: leave out {}", why, option));
    }
  }
}

ExitCode run_or_show(const SlicedPlan& plan, const BenchCommand& command) {
  if (command.dry_run) {
    fmt::print("{}", describe(plan));
    return ExitCode::ok;
  }
  write_diagnostic(describe(plan));
  return run_sliced_campaign(plan, command.json);
}

/// Resumes a campaign with its own plan; other options are errors.
ExitCode resume(const CLI::App& verb, const BenchCommand& command) {
  refuse_beside(
      verb,
      {"--for",       "--quick",    "--precision", "--same-within", "--placement", "--baseline",
       "--isolated",  "--backends", "--threads",   "--connections", "--idle",      "--size",
       "--rate",      "--churn",    "--engine",    "--time-calls",  "--depth",     "--seed",
       "--threading", "--unix",     "--out",       "EXPERIMENT"},
      "--resume goes on as the campaign began");
  return run_or_show(sliced_plan_to_resume(command.resumed), command);
}

ExitCode run(const CLI::App& verb, const BenchCommand& command) {
  if (command.list) {
    list_experiments();
    return ExitCode::ok;
  }
  if (cli::is_given(verb, "--resume")) return resume(verb, command);
  if (command.experiments.size() > 1) {
    throw Failure(ExitCode::usage, fmt::format("one experiment at a time, not {} and {}",
                                               command.experiments[0], command.experiments[1]));
  }
  const SlicedRequest request = request_of(verb, command);
  return run_or_show(plan_slices(request, probe_backends()), command);
}

void add_grid_options(CLI::App& verb, BenchCommand& command) {
  SlicedRequest& request = command.request;
  cli::add_list(verb, "--backends", request.backends,
                "Which to compare, controls too; default: all that work here")
      .suggests(known_backends());
  cli::add_counts(verb, "--threads", request.threads, {1, 1024}, "Threads of the server");
  cli::add_counts(verb, "--connections", request.connections, {1, 1'000'000},
                  "Connections that send all the time");
  cli::add_counts(verb, "--idle", request.idle, {0, 1'000'000},
                  "Connections that are open and never send; default: 0");
  cli::add_sizes(verb, "--size", request.size_bytes, {1, 1 << 20}, "Size of a message")
      .shows_default("64");
  cli::add_counts(verb, "--rate", request.rate_per_s, {0, 100'000'000},
                  "Messages per second in all, sent when they are due; 0: as echoes come back")
      .shows_default("0");
  cli::add_count(verb, "--depth", command.depth, {1, 1'000}, "Messages in flight per connection")
      .shows_default("1, with --rate no limit");
  cli::add_counts(verb, "--churn", request.churn, {0, 1'000'000},
                  "Echoes after which a connection makes way for a new one; 0: never")
      .shows_default("0");
  cli::add_list(verb, "--engine", request.engines, "How the client waits: epoll, io-uring, auto")
      .one_of({kLoadEngineNames.begin(), kLoadEngineNames.end()});
  cli::add_list(verb, "--threading", request.threading,
                "Threading models; default: single for one thread, else reuseport")
      .suggests(names_of_models());
  cli::add_flag(verb, "--unix", request.unix_sockets,
                "Unix sockets instead of TCP, whose cost in the kernel hides the mechanism's");
}

void add_effort_options(CLI::App& verb, BenchCommand& command) {
  SlicedRequest& request = command.request;
  const auto load_time =
      cli::add_duration(verb, "--for", command.load_time,
                        "Time for each load at most; it ends earlier when all is decided")
          .shows_default(
              "60s; 212s for the five of the default run; of an experiment as --dry-run says");
  cli::add_flag(verb, "--quick", command.quick, "The same as --for 5s").excludes(load_time);
  cli::add_percentage(verb, "--precision", command.precision,
                      "Go on until every interval is within plus or minus that; exit code 4 if the "
                      "time is up before");
  cli::add_percentage(verb, "--same-within", request.same_within,
                      "Costs that differ by less count as the same");
  cli::add_text(verb, "--placement", request.placement, "WHERE",
                "Server and client on one processor (shared), on different ones (apart), or auto: "
                "shared up to 16 connections")
      .one_of({"auto", "shared", "apart"});
  cli::add_text(verb, "--baseline", request.baseline, "NAME", "What the others are compared with")
      .suggests(known_backends());
  cli::add_flag(verb, "--isolated", request.is_isolated,
                "A fresh server, alone, for each visit of 250 ms, instead of all side by side");
  cli::add_flag(verb, "--time-calls", request.time_calls,
                "Split CPU time into waiting, reading, writing and the rest");
  cli::add_count(verb, "--seed", command.seed, {0, UINT32_MAX}, "Draws the order of the slices")
      .shows_default("a new one");
  for (const char* const removed : {"--full", "--rounds", "--window", "--warmup"}) {
    cli::add_removed(verb, removed, "--for DURATION says how long to measure each load");
  }
  cli::add_removed(verb, "--unchecked", "the self-check is always measured; leave it out");
}

void explain_bench(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "All servers of a load are alive side by side, and the load visits them in slices of a "
           "few milliseconds, in an order drawn from a recorded seed. CPU time, echoes and system "
           "calls of a slice are differences between two silences. The verdict on each backend is "
           "cheaper, same, more expensive or unclear, by intervals that hold together with 95 %. "
           "Interrupted, it goes on with --resume.",
       .examples = {{"muxlab bench", "all backends at five loads, in less than four minutes"},
                    {"muxlab bench --backends poll,epoll-lt --connections 100 --idle 9k",
                     "one question, answered in half a minute"},
                    {"muxlab bench --connections 1k --precision 3% --for 5m",
                     "until every ratio is known to 3 %"},
                    {"muxlab bench latency --backends io-uring",
                     "an experiment, with these backends instead of its own"},
                    {"muxlab bench --list", "the experiments, each with the question it answers"}},
       .files = {{"muxlab-results/NAME-TIME",
                  "a folder of results, unless --out names one; NAME is the "
                  "experiment's, \"default\" or \"bench\""},
                 {"DIR/machine.json", "the machine, the program and the plan"},
                 {"DIR/records.csv", "what each rig found, written as soon as it is over"},
                 {"DIR/slices.csv", "every slice"},
                 {"DIR/comparisons.csv, DIR/plots, DIR/report.html, DIR/report.md",
                  "made from the records; muxlab report makes them again"}}});
}

}  // namespace

void add_bench(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App& verb = cli::add_verb(
      program, "bench",
      "Measure backends against each other: which costs more, which less, which the same",
      [&program, command, &exit_code] {
        exit_code = run(cli::verb_of(program, "bench"), *command);
      });
  std::vector<std::string> names;
  for (const Experiment& experiment : experiments()) names.emplace_back(experiment.name);
  cli::add_texts(verb, "EXPERIMENT", command->experiments,
                 "What to find out; --list shows them all")
      .suggests(std::move(names));
  add_effort_options(verb, *command);
  add_grid_options(verb, *command);
  cli::add_text(verb, "--out", command->folder, "DIR",
                "New folder for the results; default: muxlab-results/NAME-TIME");
  cli::add_text(verb, "--resume", command->resumed, "DIR",
                "Go on with an interrupted campaign, exactly as it began");
  cli::add_flag(verb, "--json", command->json, "Print one JSON object instead of the table");
  cli::add_flag(verb, "--list", command->list, "Show the experiments and do nothing");
  cli::add_flag(verb, "--dry-run", command->dry_run, "Show what would be run and do nothing");
  explain_bench(verb);
}

}  // namespace muxlab
