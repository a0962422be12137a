#include "bench/campaign_resume.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "backends/failure.hpp"
#include "backends/machine.hpp"
#include "bench/campaign_plan.hpp"
#include "bench/campaign_record.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::nanoseconds;

[[noreturn]] void refuse(const std::filesystem::path& folder, const std::string& why) {
  throw Failure(ExitCode::usage, fmt::format("--resume {}: {}", folder.string(), why));
}

Grid grid_of(const Json& record) {
  const Json& json = record.at("grid");
  Grid grid;
  json.at("backends").get_to(grid.backends);
  json.at("threads").get_to(grid.threads);
  json.at("connections").get_to(grid.connections);
  json.at("idle").get_to(grid.idle);
  json.at("size_bytes").get_to(grid.size_bytes);
  json.at("rate_per_s").get_to(grid.rate_per_s);
  if (!json.at("depth").is_null()) grid.depth = json.at("depth").get<std::uint64_t>();
  json.at("churn").get_to(grid.churn);
  json.at("engines").get_to(grid.engines);
  json.at("notify").get_to(grid.notify);
  record.at("time_calls").get_to(grid.time_calls);
  if (!json.at("total").is_null()) grid.total = json.at("total").get<std::uint64_t>();
  if (json.at("threading").is_string()) grid.threading = {json.at("threading").get<std::string>()};
  if (json.at("threading").is_array()) json.at("threading").get_to(grid.threading);
  grid.unix_sockets = record.at("transport") == "unix";
  return grid;
}

}  // namespace

std::string why_another_machine(const Json& before) {
  const Json now = machine_card();
  for (const char* const key : {"architecture", "cpu_model", "kernel_release"}) {
    const Json was = before.value(key, Json());
    const Json is = now.value(key, Json());
    if (was == is) continue;
    return fmt::format("it was begun where {} is {}, and here it is {}", key, was.dump(),
                       is.dump());
  }
  return {};
}

CampaignPlan plan_to_resume(const std::filesystem::path& folder,
                            std::span<const BackendInfo> known) {
  const CampaignRecord record = CampaignRecord::read(folder);
  const Json& json = record.json();
  try {
    const auto status = json.at("run_status").get<std::string>();
    if (status.starts_with("complete")) refuse(folder, "it is complete");
    if (const std::string why = why_another_machine(json.at("machine")); !why.empty()) {
      refuse(folder, why);
    }
    CampaignPlan plan;
    json.at("experiment").get_to(plan.experiment);
    json.at("profile").get_to(plan.profile);
    plan.grid = grid_of(json);
    json.at("instrument").get_to(plan.instrument);
    plan.cells = plan_cells(plan.grid, plan.instrument, known);
    json.at("rounds").get_to(plan.rounds);
    json.at("seed").get_to(plan.seed);
    json.at("allowed_processors").get_to(plan.allowed_processors);
    json.at("command_line").get_to(plan.command_line);
    plan.setup.program = std::filesystem::read_symlink("/proc/self/exe");
    plan.setup.warmup = nanoseconds(json.at("warmup_ns").get<std::int64_t>());
    plan.setup.window = nanoseconds(json.at("window_ns").get<std::int64_t>());
    plan.setup.time_calls = plan.grid.time_calls;
    plan.folder = folder;
    plan.is_resumed = true;
    return plan;
  } catch (const Json::exception& error) {
    refuse(folder, fmt::format("its machine.json does not say how to go on: {}", error.what()));
  }
}

}  // namespace muxlab
