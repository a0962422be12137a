#include "bench/campaign_record.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "backends/failure.hpp"
#include "backends/machine.hpp"
#include "bench/campaign_files.hpp"
#include "bench/campaign_time.hpp"
#include "bench/gates.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;
constexpr const char* kFileName = "machine.json";

/// Null for the natural one; a list only where there are several.
Json threading_json(const Grid& grid) {
  if (grid.threading.empty()) return {};
  return grid.threading.size() == 1 ? Json(grid.threading.front()) : Json(grid.threading);
}

Json grid_json(const Grid& grid) {
  return {{"backends", grid.backends},
          {"threads", grid.threads},
          {"connections", grid.connections},
          {"idle", grid.idle},
          {"size_bytes", grid.size_bytes},
          {"rate_per_s", grid.rate_per_s},
          {"depth", grid.depth ? Json(*grid.depth) : Json()},
          {"churn", grid.churn},
          {"engines", grid.engines},
          {"notify", grid.notify},
          {"total", grid.total ? Json(*grid.total) : Json()},
          {"threading", threading_json(grid)}};
}

/// The value that all trials have; null when they differ, and the grid has all.
Json the_only(const std::vector<std::uint64_t>& values) {
  return values.size() == 1 ? Json(values.front()) : Json();
}

/// In flight per connection, of a closed loop; null where an open one sets no limit.
Json depth_json(const Grid& grid) {
  if (grid.depth) return *grid.depth;
  return grid.rate_per_s == std::vector<std::uint64_t>{0} ? Json(Cell().depth) : Json();
}

/// Which processors each side runs on, by the number of server threads.
Json processors_json(const CampaignPlan& plan) {
  Json all = Json::array();
  for (const std::uint64_t threads : plan.grid.threads) {
    const Processors processors = share_processors(plan.allowed_processors, threads);
    all.push_back(
        {{"threads", threads}, {"server", processors.server}, {"client", processors.client}});
  }
  return all;
}

std::string text_or(const Json& object, const char* key, const std::string& otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

std::string machine_line(const Json& machine) {
  const Json online = machine.value("processors_online", Json());
  const Json guest = machine.value("virtualisation", Json::object()).value("hypervisor", Json());
  return fmt::format("{}{}, {} processor{}, Linux {}",
                     text_or(machine, "cpu_model", text_or(machine, "architecture", "unknown CPU")),
                     guest == true ? " (virtual machine)" : "",
                     online.is_null() ? "?" : online.dump(), online == 1 ? "" : "s",
                     text_or(machine, "kernel_release", "?"));
}

std::string show(TrialCount trials) {
  if (trials.min == trials.max) {
    return fmt::format("{} trial{}", trials.max, trials.max == 1 ? "" : "s");
  }
  return fmt::format("{} to {} trials", trials.min, trials.max);
}

}  // namespace

CampaignRecord::CampaignRecord(const CampaignPlan& plan)
    : json_{{"schema_version", kSchemaVersion},
            {"run_status", "running"},
            {"experiment", plan.experiment},
            {"profile", plan.profile},
            {"command_line", plan.command_line},
            {"started_utc", utc_now()},
            {"ended_utc", nullptr},
            {"seed", plan.seed},
            {"rounds", plan.rounds},
            {"cells", plan.cells.size()},
            {"warmup_ns", plan.setup.warmup.count()},
            {"window_ns", plan.setup.window.count()},
            {"time_calls", plan.setup.time_calls},
            {"size_bytes", the_only(plan.grid.size_bytes)},
            {"depth", depth_json(plan.grid)},
            {"transport", plan.grid.unix_sockets ? "unix" : "tcp"},
            {"grid", grid_json(plan.grid)},
            {"instrument", plan.instrument},
            {"allowed_processors", plan.allowed_processors},
            {"processors", processors_json(plan)},
            {"machine", machine_card()}} {}

CampaignRecord CampaignRecord::read(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kFileName;
  const Json json = Json::parse(read_whole(file), nullptr, false);
  if (json.is_discarded()) {
    throw Failure(ExitCode::usage, fmt::format("{} is not whole JSON", file.string()));
  }
  CampaignRecord record(json);
  try {
    if (json.at("schema_version") != kSchemaVersion) {
      throw Failure(ExitCode::usage,
                    fmt::format("{} has schema_version {}, and this program reads {}",
                                file.string(), json.at("schema_version").dump(), kSchemaVersion));
    }
    (void)record.backends();
    (void)record.caption({});
    (void)record.crowded_from();
  } catch (const Json::exception& error) {
    throw Failure(ExitCode::usage,
                  fmt::format("{} is of another schema: {}", file.string(), error.what()));
  }
  return record;
}

void CampaignRecord::resume() {
  json_["run_status"] = "running";
  json_["resumed_utc"].push_back(utc_now());
}

void CampaignRecord::finish(const std::string& run_status) {
  json_["run_status"] = run_status;
  json_["ended_utc"] = utc_now();
}

void CampaignRecord::write(const std::filesystem::path& folder) const {
  write_whole(folder / kFileName, json_.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::vector<std::string> CampaignRecord::backends() const {
  return json_.at("grid").at("backends").get<std::vector<std::string>>();
}

std::string CampaignRecord::caption(TrialCount trials) const {
  const Json& size = json_.at("size_bytes");
  const Json& depth = json_.at("depth");
  const std::string conditions = fmt::format(
      "{}, {} over {}{}, windows of {},\n"
      "{} per point: median, bars from min to max; seed {}",
      json_.at("started_utc").get<std::string>().substr(0, 10),
      size.is_null() ? "messages" : size.dump() + "-byte messages",
      json_.value("transport", "tcp") == "unix" ? "unix sockets" : "TCP loopback",
      depth.is_null() ? "" : fmt::format(", {} in flight per connection", depth.dump()),
      cli::show_duration(std::chrono::nanoseconds(json_.at("window_ns").get<std::int64_t>())),
      show(trials), json_.at("seed").dump());
  const std::string warning = caution(trials);
  return machine_line(json_.at("machine")) + "\n" + conditions +
         (warning.empty() ? "" : "\n" + warning);
}

std::optional<double> CampaignRecord::crowded_from() const {
  double most_with_room = 0;
  double fewest_without = std::numeric_limits<double>::infinity();
  for (const Json& one : json_.value("processors", Json::array())) {
    const auto threads = one.at("threads").get<double>();
    const bool has_room = threads <= static_cast<double>(one.at("server").size());
    if (has_room) most_with_room = std::max(most_with_room, threads);
    if (!has_room) fewest_without = std::min(fewest_without, threads);
  }
  if (std::isinf(fewest_without)) return std::nullopt;
  return most_with_room > 0 ? std::sqrt(most_with_room * fewest_without) : fewest_without / 1.3;
}

std::string CampaignRecord::doubt_of_the_build() const {
  const Json build = json_.at("machine").value("build", Json());
  if (!build.is_object()) return {};
  return why_not_to_measure(text_or(build, "type", ""), text_or(build, "flags", ""));
}

std::string CampaignRecord::caution(TrialCount trials) const {
  std::vector<std::string> reasons;
  if (std::string doubt = doubt_of_the_build(); !doubt.empty()) reasons.push_back(std::move(doubt));
  if (trials.min < kRoundsToRank) {
    reasons.push_back(fmt::format("{}: {} per point {} too few to rank backends by their figures",
                                  json_.at("profile").get<std::string>(), show(trials),
                                  trials.min == 1 && trials.max == 1 ? "is" : "are"));
  }
  const std::string status = json_.at("run_status").get<std::string>();
  if (status == "interrupted" || status == "running") {
    reasons.emplace_back("the campaign did not finish");
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

}  // namespace muxlab
