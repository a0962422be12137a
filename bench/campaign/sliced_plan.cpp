#include "bench/campaign/sliced_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "backends/backend.hpp"
#include "backends/parts/descriptor_limit.hpp"
#include "backends/parts/loopback.hpp"
#include "bench/analysis/verdict.hpp"
#include "bench/load/load.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/words.hpp"
#include "server/inspect/machine.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

/// The loads of the default run: few connections, many busy ones, many silent ones. Each has a part
/// of the 212 seconds, building included. The shortest come first, so the loads that need most time
/// get the time that decided loads leave.
struct DefaultLoad {
  std::uint64_t connections;
  std::uint64_t idle;
  double seconds;
};
constexpr DefaultLoad kDefaultLoads[] = {
    {1, 0, 28}, {10, 0, 28}, {100, 0, 40}, {100, 5'000, 52}, {1'000, 0, 64}};

/// A question of the user's own.
const Experiment& own_question() {
  static const Experiment own{.name = "", .question = "", .seconds = 60};
  return own;
}

/// Returns whether no option chooses a load or how to measure it.
bool is_default_run(const SlicedRequest& request) {
  const auto all_empty = [](const auto&... lists) { return (lists.empty() && ...); };
  return request.experiment == nullptr &&
         all_empty(request.backends, request.threading, request.engines, request.threads,
                   request.connections, request.idle, request.size_bytes, request.rate_per_s,
                   request.churn) &&
         !(request.depth || request.unix_sockets || request.time_calls || request.is_isolated);
}

void check_distinct(const char* option, const std::vector<std::uint64_t>& values) {
  if (std::set(values.begin(), values.end()).size() == values.size()) return;
  throw Failure(ExitCode::usage,
                fmt::format("{} {} names a value twice", option, fmt::join(values, ",")));
}

void check_threading(std::span<const std::string> threading, const Grid& grid,
                     std::span<const BackendInfo> known) {
  std::set<std::string> models;
  for (const BackendInfo& backend : known) {
    models.insert(backend.threading.begin(), backend.threading.end());
  }
  for (const std::string& model : threading) {
    if (!models.contains(model)) {
      throw Failure(ExitCode::usage, fmt::format("no --threading \"{}\"; there are: {}", model,
                                                 fmt::join(models, " ")));
    }
    if (model == "single" && grid.threads != std::vector<std::uint64_t>{1}) {
      throw Failure(ExitCode::usage, fmt::format("--threading single takes --threads 1, not {}",
                                                 fmt::join(grid.threads, ",")));
    }
    if (model == "reuseport" && grid.unix_sockets) {
      throw Failure(ExitCode::usage,
                    "--threading reuseport is for TCP, not for --unix: use acceptor");
    }
  }
}

/// Checks the count before expand(), which may need more memory than the machine has.
void check_count(const Grid& grid) {
  double loads = 1;
  for (const std::size_t size :
       {grid.threads.size(), grid.connections.size(), grid.idle.size(), grid.size_bytes.size(),
        grid.rate_per_s.size(), grid.churn.size(), grid.engines.size(),
        std::max<std::size_t>(grid.threading.size(), 1)}) {
    loads *= static_cast<double>(size);
  }
  if (loads <= static_cast<double>(kMostLoads)) return;
  throw Failure(ExitCode::usage, fmt::format("these options ask for {:.0f} loads, and at most {} "
                                             "are measured: name fewer values",
                                             loads, kMostLoads));
}

/// The experiment with what the request says instead.
Experiment settle_experiment(const SlicedRequest& request, std::span<const BackendInfo> known) {
  Experiment asked = request.experiment != nullptr ? *request.experiment : own_question();
  Grid& grid = asked.grid;
  if (!request.idle.empty()) grid.total.reset();
  const auto settle = [](auto& values, const auto& wanted) {
    if (!wanted.empty()) values = wanted;
  };
  settle(grid.threads, request.threads);
  settle(grid.connections, request.connections);
  settle(grid.idle, request.idle);
  settle(grid.size_bytes, request.size_bytes);
  settle(grid.rate_per_s, request.rate_per_s);
  settle(grid.churn, request.churn);
  settle(grid.engines, request.engines);
  settle(asked.backends, request.backends);
  settle(asked.models.empty() ? grid.threading : asked.models, request.threading);
  grid.unix_sockets = request.unix_sockets;
  if (request.depth) grid.depth = request.depth;
  check_threading(request.threading, grid, known);
  asked.time_calls |= request.time_calls;
  asked.is_isolated |= request.is_isolated;
  check_distinct("--threads", grid.threads);
  check_distinct("--connections", grid.connections);
  check_distinct("--idle", grid.idle);
  check_distinct("--size", grid.size_bytes);
  check_distinct("--rate", grid.rate_per_s);
  check_distinct("--churn", grid.churn);
  const bool has_both = std::ranges::any_of(grid.rate_per_s, [](auto rate) { return rate > 0; }) &&
                        std::ranges::any_of(grid.churn, [](auto churn) { return churn > 0; });
  if (has_both) throw Failure(ExitCode::usage, kChurnOrRate);
  check_count(grid);
  return asked;
}

/// The backends of `asked` with the baseline among them; of those that an experiment names, the
/// ones that work here.
std::vector<BackendInfo> settle_backends(const SlicedRequest& request, const Experiment& asked,
                                         const BackendInfo& baseline,
                                         std::span<const BackendInfo> known) {
  std::vector<std::string> names = asked.backends;
  if (request.backends.empty()) {
    std::erase_if(names, [&](const std::string& name) { return !find_backend(known, name).works; });
  }
  std::vector<BackendInfo> chosen = choose_backends(known, names);
  const auto found = std::ranges::find(chosen, baseline.name, &BackendInfo::name);
  if (found == chosen.end()) {
    chosen.insert(chosen.begin(), baseline);
  } else {
    std::rotate(chosen.begin(), found, found + 1);
  }
  return chosen;
}

/// `backend` in each of the ways that are compared.
std::vector<Contender> variants_of(const std::string& backend, const Experiment& asked) {
  const auto or_nothing = [](const std::vector<std::string>& values) {
    return values.empty() ? std::vector<std::string>{""} : values;
  };
  std::vector<Contender> all;
  for (const std::string& model : or_nothing(asked.models)) {
    for (const std::string& notify : or_nothing(asked.notify)) {
      std::string name = backend;
      if (asked.models.size() > 1) name += "-" + model;
      if (asked.notify.size() > 1) name += "-" + notify;
      all.push_back({name, backend, model, notify});
    }
  }
  return all;
}

/// The baseline first, then those compared with it, then the self-check.
std::vector<PlannedContender> settle_contenders(const SlicedRequest& request,
                                                const Experiment& asked,
                                                std::span<const BackendInfo> known) {
  const BackendInfo& baseline = find_backend(known, request.baseline);
  if (!baseline.works) {
    throw Failure(ExitCode::unavailable, fmt::format("--baseline {} does not work here: {}; {}",
                                                     baseline.name, baseline.reason, baseline.fix));
  }
  std::vector<PlannedContender> all;
  for (const BackendInfo& backend : settle_backends(request, asked, baseline, known)) {
    for (Contender& one : variants_of(backend.name, asked)) {
      all.push_back({std::move(one), all.empty() ? Role::baseline : Role::compared});
    }
  }
  const Contender first = all.front().contender;
  for (std::uint64_t i = 1; i < asked.copies; ++i) {
    Contender copy = first;
    copy.name += fmt::format("-{}", i + 1);
    all.push_back({std::move(copy), Role::compared});
  }
  const auto add_check = [&](const std::string& name, const std::string& backend, Role role) {
    const auto named =
        std::ranges::find(all, name, [](const auto& one) { return one.contender.name; });
    if (named != all.end()) {
      named->role = role;
    } else {
      all.push_back({{name, backend, first.threading, first.notify}, role});
    }
  };
  add_check(first.name + "-again", baseline.name, Role::same_again);
  const std::string extra_call(kOneCallMore);
  if (baseline.name == kBaseline && asked.copies == 0 && find_backend(known, extra_call).works) {
    add_check(extra_call, extra_call, Role::extra_call);
  }
  return all;
}

std::int64_t slice_for(const Cell& cell, const Experiment& asked) {
  if (asked.slice_ns > 0) return asked.slice_ns;
  return cell.rate_per_s > 0 ? kOpenSlice_ns : cell.churn > 0 ? kChurnSlice_ns : kSlice_ns;
}

/// Estimates the time to build four rigs, or two if building is slow, and to visit each server
/// often enough for a verdict. The rates were measured on machines of 2026. Returns at least the
/// experiment's own time.
double seconds_for(const PlannedLoad& load, const Experiment& asked, std::size_t servers) {
  constexpr double kConnectionsPer_s = 8'000, kEchoesPer_s = 125'000, kLong_s = 15;
  const auto all = static_cast<double>(servers);
  const auto connections = static_cast<double>(load.cell.connections);
  const double build_s =
      all * (connections + static_cast<double>(load.cell.idle)) / kConnectionsPer_s;
  const double slice_s =
      std::max(static_cast<double>(load.slice_ns) / 1e9, 3 * connections / kEchoesPer_s);
  const auto blocks = static_cast<double>(kFewestBlocks + 5);
  if (asked.is_isolated) {
    const auto slices = static_cast<double>(slices_of_visit(true, load.slice_ns));
    return std::ceil(std::max(asked.seconds, 2 * (build_s + all * (slices * slice_s + 0.2))));
  }
  const double rigs = build_s > kLong_s ? 2 : 4;
  return std::ceil(std::max(asked.seconds, blocks * all * slice_s + rigs * build_s));
}

std::vector<PlannedLoad> settle_loads(const SlicedRequest& request, const Experiment& asked,
                                      std::size_t servers) {
  std::vector<PlannedLoad> loads;
  if (is_default_run(request)) {
    for (const DefaultLoad& one : kDefaultLoads) {
      PlannedLoad& load = loads.emplace_back();
      load.cell.threading = "single";
      load.cell.connections = one.connections;
      load.cell.idle = one.idle;
      load.seconds = request.for_s.value_or(one.seconds);
    }
    return loads;
  }
  for (Cell& cell : expand(asked.grid)) {
    PlannedLoad& load = loads.emplace_back();
    load.slice_ns = slice_for(cell, asked);
    load.cell = std::move(cell);
    // A question of the user's own ends when it is answered.
    load.seconds = request.for_s        ? *request.for_s
                   : asked.name.empty() ? asked.seconds
                                        : seconds_for(load, asked, servers);
  }
  return loads;
}

Placement settle_placement(const std::string& asked, const Cell& cell,
                           std::span<const int> allowed) {
  if (allowed.size() < 2) {
    if (asked == "apart") {
      throw Failure(ExitCode::unavailable,
                    "--placement apart needs two processors, and this process may use one: leave "
                    "it out");
    }
    return Placement::shared;
  }
  if (asked != "auto") return asked == "shared" ? Placement::shared : Placement::apart;
  // Latency and connections per second are not those of one side where it waits for the other.
  const bool is_closed = cell.rate_per_s == 0 && cell.churn == 0;
  return is_closed && cell.connections <= kMostToShare ? Placement::shared : Placement::apart;
}

/// Fills in which contenders cannot take part in a load, and why. The baseline must, and the
/// self-check alone answers no question that was asked.
void settle_contenders_of(PlannedLoad& load, std::span<const PlannedContender> contenders,
                          std::span<const BackendInfo> known) {
  std::optional<Obstacle> last;
  bool has_compared = false;
  for (const PlannedContender& one : contenders) {
    const BackendInfo& info = find_backend(known, one.contender.backend);
    const auto obstacle = why_unsupported(info, cell_of(load.cell, one.contender));
    load.unavailable.push_back(obstacle ? obstacle->reason : "");
    if (obstacle && one.role == Role::baseline) {
      throw Failure(obstacle->code,
                    fmt::format("the baseline cannot take part: {}", obstacle->reason));
    }
    if (one.role != Role::compared) continue;
    has_compared |= !obstacle;
    if (obstacle) last = obstacle;
  }
  if (has_compared || !last) return;  // or nothing but the self-check was asked for
  throw Failure(last->code, fmt::format("nothing is left to compare at {}: {}",
                                        name_of_load(load.cell), last->reason));
}

/// Of the load that has the most.
std::uint64_t most_connections(const SlicedPlan& plan) {
  std::uint64_t most = 0;
  for (const PlannedLoad& load : plan.loads) {
    most = std::max(most, load.cell.connections + load.cell.idle);
  }
  return most;
}

/// Kernel memory of both sides of a connection, measured for idle ones.
constexpr double kConnectionBytes = 10'000;

/// A name from the experiment and the time; campaigns of the same second get different names.
std::filesystem::path new_folder(const std::string& experiment) {
  const std::string name = fmt::format(
      "muxlab-results/{}-{}", experiment.empty() ? "bench" : experiment, utc_now_for_names());
  std::filesystem::path folder = name;
  for (int number = 2; std::filesystem::exists(std::filesystem::symlink_status(folder)); ++number) {
    folder = fmt::format("{}-{}", name, number);
  }
  return folder;
}

[[noreturn]] void refuse_to_resume(const std::filesystem::path& folder, const std::string& why) {
  throw Failure(ExitCode::usage, fmt::format("--resume {}: {}", folder.string(), why));
}

}  // namespace

void check_fit(const SlicedPlan& plan) {
  const std::uint64_t servers = plan.is_isolated ? 1 : plan.servers();
  const std::uint64_t connections = most_connections(plan);
  constexpr std::uint64_t kOwn = 32;  // of a load process, besides its connections
  const std::uint64_t limit = raise_descriptor_limit();
  if (connections + kOwn > limit) {
    throw Failure(
        ExitCode::unavailable,
        fmt::format("{} connections need {} descriptors in one process and the hard limit "
                    "is {}: raise it (ulimit -Hn), or ask for {} at most",
                    connections, connections + kOwn, limit, limit - kOwn));
  }
  if (!plan.loads.front().cell.unix_sockets) loopback();  // throws where there is none
  const auto available = memory_left(machine_card());
  const double needed = kConnectionBytes * static_cast<double>(connections * servers);
  if (available && needed > 0.8 * static_cast<double>(available->bytes)) {
    throw Failure(
        ExitCode::unavailable,
        fmt::format("{} connections to each of {} servers need about {:.1f} GB and {:.1f} "
                    "GB are available: ask for fewer connections or --backends",
                    connections, servers, needed / 1e9,
                    static_cast<double>(available->bytes) / 1e9));
  }
}

SlicedPlan plan_slices(const SlicedRequest& request, std::span<const BackendInfo> known) {
  const Experiment asked = settle_experiment(request, known);
  SlicedPlan plan;
  plan.contenders = settle_contenders(request, asked, known);
  plan.loads = settle_loads(request, asked, plan.servers());
  plan.experiment = is_default_run(request) ? "default" : asked.name;
  plan.shares_time = !plan.experiment.empty() && !request.for_s;
  plan.is_isolated = asked.is_isolated;
  plan.time_calls = asked.time_calls;
  plan.same_within = request.same_within;
  plan.precision = request.precision;
  plan.seed = request.seed ? *request.seed : std::random_device()();
  plan.allowed_processors = allowed_processors();
  plan.command_line = request.command_line;
  plan.folder = request.folder ? *request.folder : new_folder(plan.experiment);
  for (PlannedLoad& load : plan.loads) {
    load.placement = settle_placement(request.placement, load.cell, plan.allowed_processors);
    load.processors = share_processors(plan.allowed_processors, load.cell.threads);
    if (load.placement == Placement::shared) load.processors.client = load.processors.server;
    settle_contenders_of(load, plan.contenders, known);
  }
  check_fit(plan);
  return plan;
}

std::string describe(const SlicedPlan& plan) {
  std::vector<std::string> compared, checks;
  for (const PlannedContender& one : plan.contenders) {
    if (one.role == Role::compared) compared.push_back(one.contender.name);
    if (one.is_self_check()) checks.push_back(one.contender.name);
  }
  std::string text;
  if (!plan.experiment.empty()) text = fmt::format("experiment  {}\n", plan.experiment);
  text += fmt::format("baseline    {}\ncompared    {}\nself-check  {}\n", plan.baseline(),
                      fmt::join(compared, " "), fmt::join(checks, " "));
  for (const PlannedLoad& load : plan.loads) {
    const Processors& processors = load.processors;
    text += fmt::format("load        {}: at most {}, server on {} {}, client on {}\n",
                        name_of_load(load.cell),
                        show_time(std::chrono::nanoseconds(std::llround(load.seconds * 1e9))),
                        processors.server.size() == 1 ? "processor" : "processors",
                        fmt::join(processors.server, ","), fmt::join(processors.client, ","));
    for (std::size_t i = 0; i < plan.contenders.size(); ++i) {
      if (load.unavailable[i].empty()) continue;
      text += fmt::format("            without {}: {}\n", plan.contenders[i].contender.name,
                          load.unavailable[i]);
    }
  }
  text += fmt::format(
      "slices      of {} ms and at least {} round trips per connection{}; {} servers of the "
      "baseline\n",
      plan.loads.front().slice_ns / 1'000'000, plan.slice_round_trips,
      plan.is_isolated ? fmt::format(", {} in a row of each server, which is started for them",
                                     slices_of_visit(true, plan.loads.front().slice_ns))
                       : "",
      plan.baseline_instances());
  text += fmt::format("verdicts    same within {:g} %, for {} comparisons together\n",
                      100 * plan.same_within, plan.family(Metric::cpu));
  if (plan.precision)
    text += fmt::format("precision   until all are within {:g} %\n", 100 * *plan.precision);
  text += fmt::format("seed        {}\n", plan.seed);
  text += fmt::format("takes       at most {}\n",
                      show_time(std::chrono::nanoseconds(std::llround(plan.seconds() * 1e9))));
  return text + fmt::format("results in  {}\n", one_line(plan.folder.string()));
}

SlicedPlan sliced_plan_to_resume(const std::filesystem::path& folder) {
  const Json json = read_machine_record(folder);
  if (is_complete(json)) refuse_to_resume(folder, "it is complete");
  const std::string another = why_another_machine(json.at("machine"));
  if (json.value("program", "") != hash_of_program()) {
    refuse_to_resume(
        folder, fmt::format("it was begun by another build of muxlab, and results of two builds "
                            "do not mix{}",
                            another.empty() ? "" : ": " + another));
  }
  if (!another.empty()) refuse_to_resume(folder, another);
  SlicedPlan plan = plan_from_json(json.at("plan"));
  for (const PlannedContender& one : plan.contenders) {
    if (muxlab::find_backend(one.contender.backend) != nullptr) continue;
    refuse_to_resume(folder, fmt::format("this build has no backend {}", one.contender.backend));
  }
  if (std::filesystem::exists(folder / "records.csv")) (void)read_records(folder);
  if (plan.allowed_processors != allowed_processors()) {
    refuse_to_resume(folder, fmt::format("it was begun on the processors {}, and may now use {}",
                                         fmt::join(plan.allowed_processors, ","),
                                         fmt::join(allowed_processors(), ",")));
  }
  check_fit(plan);
  json.at("command_line").get_to(plan.command_line);
  plan.folder = folder;
  plan.is_resumed = true;
  return plan;
}

}  // namespace muxlab
