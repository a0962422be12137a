#include "bench/campaign/sliced_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "backends/descriptor_limit.hpp"
#include "backends/failure.hpp"
#include "backends/machine.hpp"
#include "bench/campaign_resume.hpp"
#include "bench/campaign_time.hpp"
#include "bench/instrument.hpp"
#include "bench/progress.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

/// What the default run asks: few connections, many busy ones, many silent ones; and how many of
/// its 218 seconds each may take, building included. The order is that of their duration, so that
/// what a decided load leaves goes to those that need it most.
struct DefaultLoad {
  std::uint64_t connections;
  std::uint64_t idle;
  double seconds;
};
constexpr DefaultLoad kDefaultLoads[] = {
    {1, 0, 28}, {10, 0, 28}, {100, 0, 40}, {100, 5'000, 52}, {1'000, 0, 64}};

constexpr double kUsualSeconds = 60;

void check_request(const SlicedRequest& request) {
  const auto reject = [](const std::string& message) { throw Failure(ExitCode::usage, message); };
  if (request.grid.rate_per_s) {
    reject("--rate is not for slices yet: add --isolated, or name the experiment latency");
  }
  if (request.grid.churn) {
    reject("--churn is not for slices yet: add --isolated, or name the experiment churn");
  }
  if (request.grid.time_calls) {
    reject("--time-calls is not for slices yet: add --isolated, or name the experiment cost");
  }
}

/// The baseline first, then the compared backends, then the self-check.
std::vector<PlannedContender> settle_contenders(const SlicedRequest& request,
                                                std::span<const BackendInfo> known,
                                                std::vector<BackendInfo>& chosen) {
  const BackendInfo& baseline = find_backend(known, request.baseline);
  if (!baseline.works) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("--baseline {} does not work here: {}; {}", baseline.name,
                              baseline.reason, baseline.mend));
  }
  chosen = choose_backends(known, request.grid.backends);
  if (std::ranges::count(chosen, baseline.name, &BackendInfo::name) == 0)
    chosen.push_back(baseline);
  std::vector<PlannedContender> all = {{{baseline.name, baseline.name}, Role::baseline}};
  for (const BackendInfo& one : chosen) {
    if (one.name != baseline.name) all.push_back({{one.name, one.name}, Role::compared});
  }
  const std::string extra_call(kOneCallMore);
  const auto is_named = [&](const std::string& name) {
    return std::ranges::count(chosen, name, &BackendInfo::name) > 0;
  };
  const std::string again = baseline.name + "-again";
  if (is_named(again)) {
    std::ranges::find(all, again, [](const auto& one) { return one.contender.name; })->role =
        Role::same_again;
  } else {
    all.push_back({{again, baseline.name}, Role::same_again});
  }
  if (baseline.name != kBaseline) return all;
  if (is_named(extra_call)) {
    std::ranges::find(all, extra_call, [](const auto& one) { return one.contender.name; })->role =
        Role::extra_call;
  } else if (find_backend(known, extra_call).works) {
    all.push_back({{extra_call, extra_call}, Role::extra_call});
  }
  return all;
}

bool asks_for_a_load(const CampaignRequest& grid) {
  return grid.threads || grid.connections || grid.idle || grid.size_bytes || grid.depth ||
         grid.threading || grid.engines || grid.unix_sockets || !grid.backends.empty();
}

std::vector<PlannedLoad> settle_loads(const SlicedRequest& request,
                                      std::span<const BackendInfo> chosen) {
  std::vector<PlannedLoad> loads;
  if (!asks_for_a_load(request.grid)) {
    for (const DefaultLoad& one : kDefaultLoads) {
      PlannedLoad& load = loads.emplace_back();
      load.cell.threading = "single";
      load.cell.connections = one.connections;
      load.cell.idle = one.idle;
      load.seconds = request.for_s.value_or(one.seconds);
    }
    return loads;
  }
  Grid usual;
  usual.threads = {1};
  usual.connections = {100};
  Grid grid = settle_grid(std::move(usual), request.grid, chosen);
  grid.backends = {""};
  for (Cell& cell : expand(grid)) {
    PlannedLoad& load = loads.emplace_back();
    load.cell = std::move(cell);
    load.seconds = request.for_s.value_or(kUsualSeconds);
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
  return cell.connections <= kMostToShare ? Placement::shared : Placement::apart;
}

/// The self-check alone answers no question that was asked.
void check_something_is_left(std::span<const PlannedContender> contenders,
                             const PlannedLoad& load) {
  std::string reason;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    if (contenders[i].role != Role::compared) continue;
    if (load.unavailable[i].empty()) return;
    reason = load.unavailable[i];
  }
  if (reason.empty()) return;  // nothing but the self-check was asked for
  throw Failure(ExitCode::unavailable, fmt::format("nothing is left to compare at {}: {}",
                                                   name_of_load(load.cell), reason));
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

/// Throws Failure (unavailable) where the connections of a load, to all servers at once, do not fit
/// this machine. Raises the soft limit of descriptors.
void check_fit(const SlicedPlan& plan) {
  const std::uint64_t servers = plan.contenders.size() + plan.baseline_instances() - 1;
  const std::uint64_t connections = most_connections(plan);
  constexpr std::uint64_t kOwn = 32;  // of a load process, beside its connections
  const std::uint64_t limit = raise_descriptor_limit();
  if (connections + kOwn > limit) {
    throw Failure(
        ExitCode::unavailable,
        fmt::format("{} connections need {} descriptors in one process and the hard limit "
                    "is {}: raise it (ulimit -Hn), or ask for {} at most",
                    connections, connections + kOwn, limit, limit - kOwn));
  }
  const Json machine = machine_card();
  const Json available = machine.value("memory_available_bytes", Json());
  const double needed = kConnectionBytes * static_cast<double>(connections * servers);
  if (available.is_number() && needed > 0.8 * available.get<double>()) {
    throw Failure(
        ExitCode::unavailable,
        fmt::format("{} connections to each of {} servers need about {:.1f} GB and {:.1f} "
                    "GB are available: ask for fewer connections or --backends",
                    connections, servers, needed / 1e9, available.get<double>() / 1e9));
  }
}

[[noreturn]] void refuse(const std::filesystem::path& folder, const std::string& why) {
  throw Failure(ExitCode::usage, fmt::format("--resume {}: {}", folder.string(), why));
}

}  // namespace

SlicedPlan plan_slices(const SlicedRequest& request, std::span<const BackendInfo> known) {
  check_request(request);
  SlicedPlan plan;
  std::vector<BackendInfo> chosen;
  plan.contenders = settle_contenders(request, known, chosen);
  plan.loads = settle_loads(request, chosen);
  plan.is_default = !asks_for_a_load(request.grid) && !request.for_s;
  plan.same_within = request.same_within;
  plan.precision = request.precision;
  plan.seed = request.grid.seed ? *request.grid.seed : std::random_device()();
  plan.allowed_processors = allowed_processors();
  plan.command_line = request.grid.command_line;
  plan.folder =
      request.grid.folder
          ? *request.grid.folder
          : std::filesystem::path("muxlab-results") /
                fmt::format("{}-{}", plan.is_default ? "default" : "bench", utc_now_for_names());
  for (PlannedLoad& load : plan.loads) {
    load.placement = settle_placement(request.placement, load.cell, plan.allowed_processors);
    load.processors = share_processors(plan.allowed_processors, load.cell.threads);
    if (load.placement == Placement::shared) load.processors.client = load.processors.server;
    for (const PlannedContender& one : plan.contenders) {
      const BackendInfo& info = find_backend(known, one.contender.backend);
      load.unavailable.push_back(why_unsupported(info, load.cell).value_or(""));
    }
    if (!load.unavailable.front().empty()) {
      throw Failure(ExitCode::unavailable,
                    fmt::format("the baseline cannot take part: {}", load.unavailable.front()));
    }
    check_something_is_left(plan.contenders, load);
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
  std::string text = fmt::format("baseline    {}\ncompared    {}\nself-check  {}\n",
                                 plan.baseline(), fmt::join(compared, " "), fmt::join(checks, " "));
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
      "slices      of {} ms and at least {} round trips per connection; {} servers "
      "of the baseline\n",
      plan.slice_ns / 1'000'000, plan.slice_round_trips, plan.baseline_instances());
  text += fmt::format("verdicts    same within {:g} %, for {} comparisons together\n",
                      100 * plan.same_within, plan.family());
  if (plan.precision)
    text += fmt::format("precision   until all are within {:g} %\n", 100 * *plan.precision);
  text += fmt::format("seed        {}\n", plan.seed);
  text += fmt::format("takes       at most {}\n",
                      show_time(std::chrono::nanoseconds(std::llround(plan.seconds() * 1e9))));
  return text + fmt::format("results in  {}\n", plan.folder.string());
}

SlicedPlan sliced_plan_to_resume(const std::filesystem::path& folder) {
  const Json json = read_machine_record(folder);
  if (json.at("run_status").get<std::string>().starts_with("complete")) {
    refuse(folder, "it is complete");
  }
  if (json.value("program", "") != hash_of_program()) {
    refuse(folder, "it was begun by another build of muxlab, and results of two builds do not mix");
  }
  if (const std::string why = why_another_machine(json.at("machine")); !why.empty()) {
    refuse(folder, why);
  }
  SlicedPlan plan = plan_from_json(json.at("plan"));
  if (plan.allowed_processors != allowed_processors()) {
    refuse(folder, fmt::format("it was begun on the processors {}, and may now use {}",
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
