#include "bench/bench_command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "backends/threading_models.hpp"
#include "bench/campaign.hpp"
#include "bench/campaign_files.hpp"
#include "bench/campaign_plan.hpp"
#include "bench/campaign_resume.hpp"
#include "bench/experiment.hpp"
#include "bench/load_engine.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

/// What the options write to; a value counts only if its option was given.
struct BenchCommand {
  std::vector<std::string> experiments;
  bool quick = false, full = false, list = false, dry_run = false, unix_sockets = false,
       unchecked = false, time_calls = false;
  std::vector<std::string> backends;
  std::vector<std::uint64_t> threads, connections, idle, size_bytes, rate_per_s, churn;
  std::uint64_t depth = 0, rounds = 0, seed = 0;
  std::chrono::nanoseconds warmup{0}, window{0};
  std::vector<std::string> threading, engines;
  std::string folder, resumed;
};

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

CampaignRequest request_of(const CLI::App& verb, const BenchCommand& command) {
  const auto given = [&verb](const char* option, const auto& value) {
    return cli::is_given(verb, option) ? std::optional(value) : std::nullopt;
  };
  CampaignRequest request;
  request.full = command.full;
  request.unix_sockets = command.unix_sockets;
  request.unchecked = command.unchecked;
  request.time_calls = command.time_calls;
  request.backends = command.backends;
  request.threads = given("--threads", command.threads);
  request.connections = given("--connections", command.connections);
  request.idle = given("--idle", command.idle);
  request.size_bytes = given("--size", command.size_bytes);
  request.rate_per_s = given("--rate", command.rate_per_s);
  request.depth = given("--depth", command.depth);
  request.rounds = given("--rounds", command.rounds);
  request.seed = given("--seed", command.seed);
  request.warmup = given("--warmup", command.warmup);
  request.window = given("--window", command.window);
  request.threading = given("--threading", command.threading);
  request.engines = given("--engine", command.engines);
  request.churn = given("--churn", command.churn);
  if (cli::is_given(verb, "--out")) request.folder = command.folder;
  request.command_line = own_command_line();
  return request;
}

void list_experiments() {
  for (const Experiment& experiment : experiments()) {
    fmt::print("{}\n  {}\n", experiment.name, experiment.question);
    for (const Profile* profile : {&experiment.quick, &experiment.full}) {
      fmt::print("  --{}: {} rounds, windows of {}\n", profile->name, profile->rounds,
                 cli::show_duration(profile->window));
    }
  }
}

/// Nothing may be asked for beside it: all is settled.
CampaignPlan resume(const CLI::App& verb, const BenchCommand& command,
                    std::span<const BackendInfo> known) {
  for (const char* const option :
       {"--quick",     "--full", "--backends", "--threads", "--connections", "--idle",
        "--size",      "--rate", "--churn",    "--engine",  "--time-calls",  "--depth",
        "--rounds",    "--seed", "--warmup",   "--window",  "--threading",   "--unix",
        "--unchecked", "--out",  "EXPERIMENT"}) {
    if (!cli::is_given(verb, option)) continue;
    throw Failure(ExitCode::usage,
                  fmt::format("--resume goes on as the campaign began: leave out {}", option));
  }
  return plan_to_resume(command.resumed, known);
}

ExitCode run(const CLI::App& verb, const BenchCommand& command) {
  if (command.list) {
    list_experiments();
    return ExitCode::ok;
  }
  if (command.experiments.size() > 1) {
    throw Failure(ExitCode::usage, fmt::format("one experiment at a time, not {} and {}",
                                               command.experiments[0], command.experiments[1]));
  }
  const std::string_view name =
      command.experiments.empty() ? experiments().front().name : command.experiments.front();
  const Experiment& experiment = find_experiment(name);
  const auto known = inspect_backends(std::filesystem::read_symlink("/proc/self/exe"));
  const CampaignPlan plan = cli::is_given(verb, "--resume")
                                ? resume(verb, command, known)
                                : plan_campaign(experiment, request_of(verb, command), known);
  fmt::print(command.dry_run ? stdout : stderr, "{}", describe(plan));
  return command.dry_run ? ExitCode::ok : run_campaign(plan);
}

std::vector<std::string> known_backends() {
  std::vector<std::string> names = names_of(backends());
  const std::vector<std::string> others = names_of(controls());
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

std::vector<std::string> names_of_experiments() {
  std::vector<std::string> names;
  names.reserve(experiments().size());
  for (const Experiment& experiment : experiments()) names.emplace_back(experiment.name);
  return names;
}

void add_grid_options(CLI::App& verb, BenchCommand& command) {
  cli::add_list(verb, "--backends", command.backends,
                "Which to compare, controls too; default: all that work here")
      .suggests(known_backends());
  cli::add_counts(verb, "--threads", command.threads, {1, 1024}, "Threads of the server");
  cli::add_counts(verb, "--connections", command.connections, {1, 1'000'000},
                  "Connections that send all the time");
  cli::add_counts(verb, "--idle", command.idle, {0, 1'000'000},
                  "Connections that are open and never send; default: 0");
  cli::add_sizes(verb, "--size", command.size_bytes, {1, 1 << 20}, "Size of a message")
      .shows_default("64");
  cli::add_counts(verb, "--rate", command.rate_per_s, {0, 100'000'000},
                  "Messages per second in all, sent when they are due; 0: as echoes come back")
      .shows_default("0");
  cli::add_count(verb, "--depth", command.depth, {1, 1'000}, "Messages in flight per connection")
      .shows_default("1, with --rate no limit");
  cli::add_counts(verb, "--churn", command.churn, {0, 1'000'000},
                  "Echoes after which a connection makes way for a new one; 0: never")
      .shows_default("0");
  cli::add_list(verb, "--engine", command.engines, "How the client waits: epoll, io-uring, auto")
      .one_of({kLoadEngineNames.begin(), kLoadEngineNames.end()});
  cli::add_list(verb, "--threading", command.threading,
                "Threading models; default: single for one thread, else reuseport")
      .suggests(names_of_models());
  cli::add_flag(verb, "--unix", command.unix_sockets,
                "Unix sockets instead of TCP, whose cost in the kernel hides the mechanism's");
}

void add_effort_options(CLI::App& verb, BenchCommand& command) {
  const auto quick =
      cli::add_flag(verb, "--quick", command.quick,
                    "A few short trials per point: minutes, and no ranking (the default)");
  cli::add_flag(verb, "--full", command.full, "Enough trials per point to compare").excludes(quick);
  cli::add_flag(verb, "--unchecked", command.unchecked,
                "Without the rows that check the instrument: quicker, and the results say so");
  cli::add_flag(verb, "--time-calls", command.time_calls,
                "What CPU time goes into: waiting, reading, writing and the rest");
  cli::add_count(verb, "--rounds", command.rounds, {1, 1'000}, "Trials per point")
      .shows_default("3 quick, 10 full");
  cli::add_duration(verb, "--warmup", command.warmup, "Not measured, before each window")
      .shows_default("100ms quick, 500ms full");
  cli::add_duration(verb, "--window", command.window, "Measured, in each trial")
      .shows_default("400ms quick, 1s full");
  cli::add_count(verb, "--seed", command.seed, {0, UINT32_MAX}, "Draws the order of the trials")
      .shows_default("a new one");
}

void explain_bench(CLI::App& verb) {
  cli::explain(
      verb,
      {.description =
           "Each trial has a fresh server, and server and client on different processors; rounds "
           "are interleaved in an order drawn from a recorded seed. A trial that something else "
           "disturbed is kept with the reason, left out of the figures and measured again. "
           "Interrupted, it goes on with --resume.",
       .examples = {{"muxlab bench --list", "the experiments, each with the question it answers"},
                    {"muxlab bench throughput --backends epoll-lt,epoll-et --connections 100,1k",
                     "two backends, at two numbers of connections"},
                    {"muxlab bench --resume muxlab-results/throughput-2026-01-31T12-00-00Z",
                     "go on with an interrupted campaign, exactly as it began"}},
       .files = {{"muxlab-results/EXPERIMENT-TIME", "a folder of results, unless --out names one"},
                 {"DIR/trials.csv", "every trial, written as soon as it is over"},
                 {"DIR/summary.csv, DIR/comparisons.csv, DIR/plots, DIR/report.html, DIR/report.md",
                  "made from the trials; muxlab report makes them again"},
                 {"DIR/machine.json", "the machine and the program"}}});
}

}  // namespace

void add_bench(CLI::App& program, ExitCode& exit_code) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App& verb = cli::add_verb(
      program, "bench",
      "Measure backends against each other in interleaved rounds, and plot the results",
      [&program, command, &exit_code] {
        exit_code = run(cli::verb_of(program, "bench"), *command);
      });
  cli::add_texts(verb, "EXPERIMENT", command->experiments,
                 "What to find out; --list shows them all")
      .suggests(names_of_experiments());
  add_effort_options(verb, *command);
  add_grid_options(verb, *command);
  cli::add_text(verb, "--out", command->folder, "DIR",
                "New folder for the results; default: muxlab-results/EXPERIMENT-TIME");
  cli::add_text(verb, "--resume", command->resumed, "DIR",
                "Go on with an interrupted campaign, exactly as it began");
  cli::add_flag(verb, "--list", command->list, "Show the experiments and do nothing");
  cli::add_flag(verb, "--dry-run", command->dry_run, "Show what would be run and do nothing");
  explain_bench(verb);
}

}  // namespace muxlab
