#include "bench/data/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <set>
#include <type_traits>
#include <utility>

#include "backends/failure.hpp"
#include "backends/machine.hpp"
#include "bench/campaign_files.hpp"
#include "bench/cell_columns.hpp"
#include "bench/progress.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMachineFile = "machine.json";

void demand(bool holds, const char* what) {
  if (!holds) throw Json::other_error::create(501, what, nullptr);
}

/// As all backends are called: it goes to terminals and files as it is.
bool is_name(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

/// The library would make a whole number of 1.5 and of -1.
std::uint64_t count_from(const Json& json, const char* key) {
  demand(json.at(key).is_number_unsigned(), "a count is a whole number");
  return json.at(key).get<std::uint64_t>();
}

Cell cell_from_json(const Json& json) {
  Cell cell;
  each_cell_column(cell, [&](const char* name, auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, bool>) {
      value = json.at(name) == transport_name(true);
    } else if constexpr (std::is_same_v<Value, std::uint64_t>) {
      value = count_from(json, name);
    } else if (&value != &cell.backend) {
      json.at(name).get_to(value);
    }
  });
  demand(cell.threads > 0 && cell.connections > 0 && cell.size_bytes > 0,
         "a load has threads, connections and messages");
  return cell;
}

constexpr std::array<const char*, 4> kRoles = {"baseline", "compared", "same_again", "extra_call"};

Role role_from(const std::string& name) {
  const auto found = std::ranges::find(kRoles, name);
  demand(found != kRoles.end(), "a role is known");
  return static_cast<Role>(found - kRoles.begin());
}

}  // namespace

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json load_json(const PlannedLoad& load) {
  Json json;
  each_cell_column(load.cell, [&](const char* name, const auto& value) {
    if constexpr (std::is_same_v<decltype(value), const bool&>) {
      json[name] = transport_name(value);
    } else {
      json[name] = value;
    }
  });
  json.erase("backend");
  json["placement"] = load.placement == Placement::shared ? "shared" : "apart";
  return json;
}

std::string hash_of_program() {
  const std::string program = read_whole("/proc/self/exe");
  return fmt::format("{:016x}", std::hash<std::string>()(program));
}

/// Of c comparisons with v instances, c + v slices give a variance of 1 + 1/v: least at the root of
/// c.
std::uint64_t SlicedPlan::baseline_instances() const {
  const auto comparisons = static_cast<double>(contenders.size() - 1);
  return std::max<std::uint64_t>(2,
                                 static_cast<std::uint64_t>(std::lround(std::sqrt(comparisons))));
}

std::size_t SlicedPlan::family(Metric metric) const {
  std::size_t count = 0, busy = 0;
  for (const PlannedLoad& load : loads) {
    if (!load.compares(metric)) continue;
    count += static_cast<std::size_t>(std::ranges::count(load.unavailable, "")) - 1;
    busy += load.is_busy() ? 1 : 0;
  }
  if (metric == Metric::cpu && busy > 1) count += contenders.size() - 1;
  return std::max<std::size_t>(count, 1);
}

bool PlannedLoad::compares(Metric metric) const {
  switch (metric) {
    case Metric::cpu:
      return true;
    case Metric::echo_time:
      return cell.rate_per_s == 0 && cell.churn == 0 && placement == Placement::apart;
    case Metric::latency_p50:
    case Metric::latency_p99:
      return cell.rate_per_s > 0;
    default:
      return cell.churn > 0;
  }
}

Cell cell_of(const Cell& load, const Contender& contender) {
  Cell cell = load;
  cell.backend = contender.backend;
  if (!contender.threading.empty()) cell.threading = contender.threading;
  if (!contender.notify.empty()) cell.notify = contender.notify;
  return cell;
}

double SlicedPlan::seconds() const {
  double all = 0;
  for (const PlannedLoad& load : loads) all += load.seconds;
  return all;
}

std::string name_of_load(const Cell& cell) {
  std::string text = cli::show_count(cell.connections);
  text += cell.idle > 0 ? fmt::format(" busy, {} silent", cli::show_count(cell.idle)) : " busy";
  if (cell.threads > 1 || cell.threading != "single") text += ", " + describe_threads(cell);
  return text + describe_what_is_unusual(cell);
}

Json plan_json(const SlicedPlan& plan) {
  Json contenders = Json::array(), loads = Json::array();
  for (const PlannedContender& one : plan.contenders) {
    contenders.push_back({{"name", one.contender.name},
                          {"backend", one.contender.backend},
                          {"threading", one.contender.threading},
                          {"notify", one.contender.notify},
                          {"role", kRoles[static_cast<std::size_t>(one.role)]}});
  }
  for (const PlannedLoad& load : plan.loads) {
    Json json = load_json(load);
    json["seconds"] = load.seconds;
    json["slice_ns"] = load.slice_ns;
    json["processors"] = {{"server", load.processors.server}, {"client", load.processors.client}};
    Json unavailable = Json::object();
    for (std::size_t i = 0; i < plan.contenders.size(); ++i) {
      if (load.unavailable[i].empty()) continue;
      unavailable[plan.contenders[i].contender.name] = load.unavailable[i];
    }
    json["unavailable"] = std::move(unavailable);
    loads.push_back(std::move(json));
  }
  return {{"experiment", plan.experiment},
          {"shares_time", plan.shares_time},
          {"isolated", plan.is_isolated},
          {"time_calls", plan.time_calls},
          {"seed", plan.seed},
          {"same_within", plan.same_within},
          {"precision", plan.precision ? Json(*plan.precision) : Json()},
          {"family", plan.family(Metric::cpu)},
          {"baseline_instances", plan.baseline_instances()},
          {"round_trips", plan.slice_round_trips},
          {"contenders", std::move(contenders)},
          {"loads", std::move(loads)},
          {"allowed_processors", plan.allowed_processors}};
}

SlicedPlan plan_from_json(const Json& json) {
  SlicedPlan plan;
  json.at("experiment").get_to(plan.experiment);
  json.at("shares_time").get_to(plan.shares_time);
  json.at("isolated").get_to(plan.is_isolated);
  json.at("time_calls").get_to(plan.time_calls);
  plan.seed = count_from(json, "seed");
  json.at("same_within").get_to(plan.same_within);
  plan.slice_round_trips = count_from(json, "round_trips");
  if (!json.at("precision").is_null()) plan.precision = json.at("precision").get<double>();
  json.at("allowed_processors").get_to(plan.allowed_processors);
  for (const Json& one : json.at("contenders")) {
    plan.contenders.push_back(
        {{one.at("name").get<std::string>(), one.at("backend").get<std::string>(),
          one.at("threading").get<std::string>(), one.at("notify").get<std::string>()},
         role_from(one.at("role").get<std::string>())});
    demand(is_name(plan.contenders.back().contender.name), "a contender has a name");
  }
  for (const Json& one : json.at("loads")) {
    PlannedLoad& load = plan.loads.emplace_back();
    load.cell = cell_from_json(one);
    load.placement = one.at("placement") == "shared" ? Placement::shared : Placement::apart;
    one.at("processors").at("server").get_to(load.processors.server);
    one.at("processors").at("client").get_to(load.processors.client);
    one.at("seconds").get_to(load.seconds);
    one.at("slice_ns").get_to(load.slice_ns);
    for (const PlannedContender& contender : plan.contenders) {
      load.unavailable.push_back(
          one.at("unavailable").value(contender.contender.name, std::string()));
    }
  }
  demand(!plan.contenders.empty() && plan.contenders.front().role == Role::baseline &&
             !plan.loads.empty(),
         "a plan has a baseline and a load");
  std::set<std::pair<Point, Placement>> points;
  for (const PlannedLoad& load : plan.loads) {
    demand(points.emplace(point_of(load.cell), load.placement).second, "loads differ");
  }
  return plan;
}

Json new_machine_record(const SlicedPlan& plan) {
  return {{"schema_version", kSlicedSchema},
          {"run_status", "running"},
          {"command_line", plan.command_line},
          {"started_utc", utc_now()},
          {"ended_utc", nullptr},
          {"program", hash_of_program()},
          {"plan", plan_json(plan)},
          {"machine", machine_card()}};
}

void write_machine_record(const std::filesystem::path& folder, const Json& json) {
  write_whole(folder / kMachineFile,
              json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

namespace {

/// `type` is CMake's, and `flags` are those of the compiler beside it.
std::string why_not_to_measure(std::string_view type, std::string_view flags) {
  const auto has = [&](std::string_view word) {
    return flags.find(word) != std::string_view::npos;
  };
  if (has("-fsanitize")) return "the program has a sanitizer in it";
  if (has("--coverage")) return "the program counts its own lines";
  const bool is_optimised = type == "Release" || type == "RelWithDebInfo" || type == "MinSizeRel" ||
                            has("-O2") || has("-O3");
  return is_optimised ? "" : "the program is not optimised";
}

}  // namespace

std::string doubt_of_build(const Json& record) {
  const Json machine = record.value("machine", Json());
  const auto found = machine.find("build");
  if (found == machine.end() || !found->is_object()) return {};
  const auto text = [&](const char* key) {
    const auto field = found->find(key);
    return field != found->end() && field->is_string() ? field->get<std::string>() : std::string();
  };
  return why_not_to_measure(text("type"), text("flags"));
}

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

Json read_machine_record(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kMachineFile;
  const Json json = Json::parse(read_whole(file), nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    throw Failure(ExitCode::usage, fmt::format("{} is not whole JSON", file.string()));
  }
  try {
    if (json.at("schema_version") != kSlicedSchema) {
      throw Failure(ExitCode::usage,
                    fmt::format("{} has schema_version {}, and this reads {}", file.string(),
                                json.at("schema_version").dump(), kSlicedSchema));
    }
    (void)plan_from_json(json.at("plan"));
    (void)json.at("run_status").get<std::string>();
    (void)json.at("started_utc").get<std::string>();
    (void)json.at("program").get<std::string>();
    (void)json.at("command_line").get<std::vector<std::string>>();
    (void)json.at("machine").at("kernel_release");
  } catch (const Json::exception&) {
    throw Failure(
        ExitCode::usage,
        fmt::format("{} is of another schema: it lacks what muxlab bench writes", file.string()));
  }
  return json;
}

}  // namespace muxlab
