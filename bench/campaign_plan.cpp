#include "bench/campaign_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <random>
#include <set>

#include "bench/campaign_time.hpp"
#include "bench/instrument.hpp"
#include "bench/progress.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

/// At so many points the instrument is checked: more would cost more than they tell.
constexpr std::size_t kInstrumentPoints = 4;

/// With so much time for a load there is room for the larger grid and its longer windows.
constexpr std::chrono::seconds kEnoughForFull{20};

/// Trials of each backend that fit `load_time`; at least one.
std::uint64_t rounds_in(std::chrono::nanoseconds load_time, const CampaignPlan& plan) {
  const auto rows = static_cast<std::int64_t>(plan.grid.backends.size() + plan.instrument.size());
  const std::chrono::nanoseconds round =
      rows * (plan.setup.warmup + plan.setup.window + kTrialOverhead);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(1, load_time / round));
}

void check_distinct(const char* option, const std::vector<std::uint64_t>& values) {
  if (std::set(values.begin(), values.end()).size() == values.size()) return;
  throw Failure(ExitCode::usage,
                fmt::format("{} {} names a value twice", option, fmt::join(values, ",")));
}

void check_threading(const Grid& grid, std::span<const BackendInfo> chosen) {
  std::set<std::string> models;
  for (const BackendInfo& backend : chosen) {
    models.insert(backend.threading.begin(), backend.threading.end());
  }
  for (const std::string& threading : grid.threading) {
    if (!models.contains(threading)) {
      throw Failure(ExitCode::usage, fmt::format("no --threading \"{}\"; there are: {}", threading,
                                                 fmt::join(models, " ")));
    }
    if (threading == "single" && grid.threads != std::vector<std::uint64_t>{1}) {
      throw Failure(ExitCode::usage, fmt::format("--threading single takes --threads 1, not {}",
                                                 fmt::join(grid.threads, ",")));
    }
  }
}

}  // namespace

Grid settle_grid(Grid grid, const CampaignRequest& request, std::span<const BackendInfo> chosen) {
  grid.backends.clear();
  for (const BackendInfo& backend : chosen) grid.backends.push_back(backend.name);
  grid.threads = request.threads.value_or(grid.threads);
  grid.connections = request.connections.value_or(grid.connections);
  grid.idle = request.idle.value_or(grid.idle);
  if (request.idle) grid.total.reset();
  grid.size_bytes = request.size_bytes.value_or(grid.size_bytes);
  if (request.depth) grid.depth = request.depth;
  grid.threading = request.threading.value_or(grid.threading);
  grid.rate_per_s = request.rate_per_s.value_or(grid.rate_per_s);
  grid.unix_sockets = request.unix_sockets;
  if (request.churn) grid.churn = *request.churn;
  if (request.engines) grid.engines = *request.engines;
  grid.time_calls |= request.time_calls;
  if (grid.unix_sockets && std::ranges::count(grid.threading, "reuseport") > 0) {
    throw Failure(ExitCode::usage,
                  "--threading reuseport is for TCP, not for --unix: use acceptor");
  }
  check_distinct("--threads", grid.threads);
  check_distinct("--connections", grid.connections);
  check_distinct("--idle", grid.idle);
  check_distinct("--size", grid.size_bytes);
  check_distinct("--rate", grid.rate_per_s);
  check_distinct("--churn", grid.churn);
  check_threading(grid, chosen);
  return grid;
}

namespace {

/// Of the backends that an experiment is about, those that work here.
std::vector<std::string> those_here(std::vector<std::string> names,
                                    std::span<const BackendInfo> known) {
  std::erase_if(names, [&](const std::string& name) {
    return std::ranges::none_of(
        known, [&](const BackendInfo& info) { return info.name == name && info.works; });
  });
  return names;
}

/// What checks the instrument, beside the `chosen`, as far as it works here.
std::vector<std::string> rows_for_the_instrument(std::span<const BackendInfo> known,
                                                 const std::vector<std::string>& chosen) {
  std::vector<std::string> names;
  for (const std::string_view name : kInstrumentRows) {
    const auto backend = std::ranges::find(known, name, &BackendInfo::name);
    if (backend == known.end() || !backend->works) return {};
    if (std::ranges::count(chosen, name) == 0) names.emplace_back(name);
  }
  return names;
}

}  // namespace

std::vector<PlannedCell> plan_cells(const Grid& grid, const std::vector<std::string>& instrument,
                                    std::span<const BackendInfo> known) {
  std::vector<Cell> all = expand(grid);
  std::vector<Cell> points = all;
  std::ranges::sort(points, {}, point_of);
  const auto is_same_point = [](const Cell& one, const Cell& other) {
    return point_of(one) == point_of(other);
  };
  points.erase(std::unique(points.begin(), points.end(), is_same_point), points.end());
  const std::size_t most = std::min(points.size(), kInstrumentPoints);
  for (std::size_t i = 0; i < most; ++i) {
    for (const std::string& name : instrument) {
      all.push_back(points[i * points.size() / most]);
      all.back().backend = name;
    }
  }
  std::vector<PlannedCell> cells;
  for (Cell& cell : all) {
    std::optional<std::string> reason = why_unsupported(find_backend(known, cell.backend), cell);
    cells.push_back({std::move(cell), std::move(reason)});
  }
  return cells;
}

CampaignPlan plan_campaign(const Experiment& experiment, const CampaignRequest& request,
                           std::span<const BackendInfo> known) {
  const bool full = request.load_time.value_or(std::chrono::nanoseconds{0}) >= kEnoughForFull;
  const Profile& profile = full ? experiment.full : experiment.quick;
  const std::vector<BackendInfo> chosen =
      choose_backends(known, request.backends.empty() ? those_here(profile.grid.backends, known)
                                                      : request.backends);
  CampaignPlan plan;
  plan.experiment = experiment.name;
  plan.profile = profile.name;
  plan.grid = settle_grid(profile.grid, request, chosen);
  plan.instrument = rows_for_the_instrument(known, plan.grid.backends);
  plan.cells = plan_cells(plan.grid, plan.instrument, known);
  plan.seed = request.seed ? *request.seed : std::random_device()();
  plan.setup.program = std::filesystem::read_symlink("/proc/self/exe");
  plan.setup.time_calls = plan.grid.time_calls;
  plan.setup.warmup = request.warmup.value_or(profile.warmup);
  plan.setup.window = request.window.value_or(profile.window);
  plan.rounds = request.rounds.value_or(request.load_time ? rounds_in(*request.load_time, plan)
                                                          : profile.rounds);
  plan.allowed_processors = allowed_processors();
  plan.folder = request.folder ? *request.folder
                               : std::filesystem::path("muxlab-results") /
                                     fmt::format("{}-{}", experiment.name, utc_now_for_names());
  plan.command_line = request.command_line;
  if (plan.setup.window <= std::chrono::nanoseconds(0)) {
    throw Failure(ExitCode::usage, "a window of 0 leaves no time to measure");
  }
  return plan;
}

namespace {

std::string describe_load(const std::vector<std::uint64_t>& rates_per_s) {
  std::vector<std::string> loads;
  for (const std::uint64_t rate : rates_per_s) {
    loads.push_back(rate == 0 ? "closed loop" : fmt::format("open loop of {}/s", rate));
  }
  return fmt::format("{}", fmt::join(loads, ", "));
}

}  // namespace

std::string describe(const CampaignPlan& plan) {
  const Grid& grid = plan.grid;
  const Expectation expected = expect(plan);
  const auto unsupported = std::count_if(plan.cells.begin(), plan.cells.end(),
                                         [](const PlannedCell& cell) { return cell.unsupported; });
  std::string text = fmt::format("{}, {}\n", plan.experiment, plan.profile);
  const auto counts = [](const std::vector<std::uint64_t>& values) {
    std::vector<std::string> shown;
    shown.reserve(values.size());
    for (const std::uint64_t value : values) shown.push_back(cli::show_count(value));
    return fmt::format("{}", fmt::join(shown, " "));
  };
  text += fmt::format("  backends     {}\n", fmt::join(grid.backends, " "));
  text += fmt::format("  threads      {}\n", counts(grid.threads));
  text += fmt::format("  connections  {}\n", counts(grid.connections));
  text += fmt::format("  idle         {}\n", counts(grid.idle));
  text += fmt::format("  messages     {} bytes{}, over {}\n", fmt::join(grid.size_bytes, " "),
                      grid.depth ? fmt::format(", {} in flight per connection", *grid.depth) : "",
                      grid.unix_sockets ? "unix sockets" : "TCP loopback");
  text += fmt::format("  load         {}\n", describe_load(grid.rate_per_s));
  text += fmt::format("  instrument   {}\n",
                      plan.instrument.empty()
                          ? "not checked beyond the backends above"
                          : fmt::format("checked with {}", fmt::join(plan.instrument, " ")));
  text += fmt::format("  trials       {} in {} rounds of {} cells", expected.trials, plan.rounds,
                      plan.cells.size());
  if (unsupported > 0) text += fmt::format(", {} of them unsupported", unsupported);
  text += fmt::format("\n  each         {} warm-up, {} measured\n",
                      cli::show_duration(plan.setup.warmup), cli::show_duration(plan.setup.window));
  text += fmt::format("  seed         {}\n", plan.seed);
  for (const std::uint64_t threads : grid.threads) {
    const Processors processors = share_processors(plan.allowed_processors, threads);
    text += fmt::format("  processors   {} for a server of {} thread{}, {} for the client\n",
                        fmt::join(processors.server, ","), threads, threads == 1 ? "" : "s",
                        fmt::join(processors.client, ","));
  }
  text += fmt::format("  takes about  {}\n", show_time(expected.duration));
  text += fmt::format("  or up to     {} on a machine that is disturbed\n",
                      show_time(expected.duration + expected.repeats + expected.patience));
  text += fmt::format("  results in   {}\n", plan.folder.string());
  for (const PlannedCell& planned : plan.cells) {
    if (!planned.unsupported) continue;
    text += fmt::format("  unsupported  {}: {}\n", describe(planned.cell), *planned.unsupported);
  }
  return text;
}

}  // namespace muxlab
