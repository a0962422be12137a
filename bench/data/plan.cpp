#include "bench/data/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <cmath>
#include <set>
#include <type_traits>

#include "backends/parts/failure.hpp"
#include "bench/data/files.hpp"
#include "bench/data/json_field.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/words.hpp"
#include "server/inspect/machine.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMachineFile = "machine.json";
constexpr std::array<std::string_view, 4> kRunStatuses = {"running", "interrupted", "complete",
                                                          "complete_with_failures"};

/// Limits of a plan read from a file; they are those of the options.
constexpr std::uint64_t kMany = 1'000'000;
constexpr std::uint64_t kMostThreads = 1'024, kMostDepth = 1'024, kMostRate = 100'000'000;
constexpr std::uint64_t kMostSize = 1 << 20;
constexpr std::size_t kMostContenders = 1'000, kMostWords = 10'000;
constexpr double kMostSeconds = 1e6;

std::uint64_t read_count(const JsonField& field, const Cell& cell, const std::uint64_t& member) {
  if (&member == &cell.threads) return field.count(1, kMostThreads);
  if (&member == &cell.connections) return field.count(1, kMany);
  if (&member == &cell.size_bytes) return field.count(1, kMostSize);
  if (&member == &cell.depth) return field.count(0, kMostDepth);
  if (&member == &cell.rate_per_s) return field.count(0, kMostRate);
  return field.count(0, kMany);
}

/// One of two words, of which `yes` is true.
bool read_word(const JsonField& field, const char* yes, const char* no) {
  if (field.value() != yes && field.value() != no) field.fail(fmt::format("{} or {}", yes, no));
  return field.value() == yes;
}

Cell cell_from_json(const JsonField& json) {
  Cell cell;
  each_cell_column(cell, [&](const char* name, auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, bool>) {
      value = read_word(json.at(name), transport_name(true), transport_name(false));
    } else if constexpr (std::is_same_v<Value, std::uint64_t>) {
      value = read_count(json.at(name), cell, value);
    } else if (&value != &cell.backend) {
      value = json.at(name).name();
    }
  });
  return cell;
}

std::vector<int> processors_from_json(const JsonField& json) {
  std::vector<int> processors;
  json.each(CPU_SETSIZE, [&](const JsonField& one) {
    processors.push_back(static_cast<int>(one.count(0, CPU_SETSIZE - 1)));
  });
  return processors;
}

constexpr std::array<const char*, 4> kRoles = {"baseline", "compared", "same_again", "extra_call"};

Role role_from(const JsonField& json) {
  const auto found = std::ranges::find(kRoles, json.text());
  if (found == kRoles.end()) json.fail("baseline, compared, same_again or extra_call");
  return static_cast<Role>(found - kRoles.begin());
}

PlannedContender contender_from_json(const JsonField& json) {
  return {{json.at("name").name(), json.at("backend").name(), json.at("threading").name_or_empty(),
           json.at("notify").name_or_empty()},
          role_from(json.at("role"))};
}

PlannedLoad load_from_json(const JsonField& json, std::span<const PlannedContender> contenders) {
  PlannedLoad load;
  load.cell = cell_from_json(json);
  load.placement =
      read_word(json.at("placement"), "shared", "apart") ? Placement::shared : Placement::apart;
  load.processors.server = processors_from_json(json.at("processors").at("server"));
  load.processors.client = processors_from_json(json.at("processors").at("client"));
  load.seconds = json.at("seconds").number(0, kMostSeconds);
  load.slice_ns = static_cast<std::int64_t>(json.at("slice_ns").count(1, 1'000'000'000'000));
  const JsonField unavailable = json.at("unavailable");
  if (!unavailable.value().is_object()) unavailable.fail("an object");
  for (const PlannedContender& one : contenders) {
    const std::string& name = one.contender.name;
    load.unavailable.push_back(unavailable.value().contains(name) ? unavailable.at(name).text()
                                                                  : std::string());
  }
  return load;
}

SlicedPlan plan_from_field(const JsonField& json) {
  SlicedPlan plan;
  plan.experiment = json.at("experiment").name_or_empty();
  plan.shares_time = json.at("shares_time").flag();
  plan.is_isolated = json.at("isolated").flag();
  plan.time_calls = json.at("time_calls").flag();
  plan.seed = json.at("seed").count(0, UINT64_MAX);
  plan.same_within = json.at("same_within").number(0, 1);
  plan.slice_round_trips = json.at("round_trips").count(1, kMany);
  if (!json.at("precision").value().is_null()) {
    plan.precision = json.at("precision").number(0, 1);
  }
  plan.allowed_processors = processors_from_json(json.at("allowed_processors"));
  std::set<std::string> names;
  json.at("contenders").each(kMostContenders, [&](const JsonField& one) {
    plan.contenders.push_back(contender_from_json(one));
    const bool is_first = plan.contenders.size() == 1;
    if (is_first != (plan.contenders.back().role == Role::baseline)) {
      one.at("role").fail("the first contender, and no other, to be the baseline");
    }
    if (!names.insert(plan.contenders.back().contender.name).second) {
      one.at("name").fail("a name that no other contender has");
    }
  });
  std::set<std::pair<Point, Placement>> points;
  json.at("loads").each(kMostLoads, [&](const JsonField& one) {
    plan.loads.push_back(load_from_json(one, plan.contenders));
    const PlannedLoad& load = plan.loads.back();
    if (!points.emplace(point_of(load.cell), load.placement).second) {
      one.fail("a load that differs from the others");
    }
  });
  if (plan.contenders.empty()) json.at("contenders").fail("one contender or more");
  if (plan.loads.empty()) json.at("loads").fail("one load or more");
  return plan;
}

/// `type` is CMake's build type; `flags` are the compiler's.
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
  json["placement"] = name_of(load.placement);
  return json;
}

std::string hash_of_program() {
  const std::string program = read_whole("/proc/self/exe", UINT64_MAX);
  return fmt::format("{:016x}", std::hash<std::string>()(program));
}

/// With c comparisons and v instances, c + v slices give a variance of 1 + 1/v. The square root of
/// c is the best v.
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

SlicedPlan plan_from_json(const Json& json) { return plan_from_field(JsonField(json)); }

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

std::string doubt_of_build(const Json& record) {
  if (!value_at(record, "/machine/build").is_object()) return {};
  return why_not_to_measure(text_at(record, "/machine/build/type"),
                            text_at(record, "/machine/build/flags"));
}

std::string why_another_machine(const Json& before) {
  const Json now = machine_card();
  for (const char* const pointer :
       {"/architecture", "/cpu_model", "/kernel_release", "/build/commit", "/build/type",
        "/build/flags", "/compiler", "/libraries"}) {
    const Json was = value_at(before, pointer);
    const Json is = value_at(now, pointer);
    if (was == is) continue;
    return fmt::format("it was begun where {} is {}, and here it is {}", pointer + 1, was.dump(),
                       is.dump());
  }
  return {};
}

bool is_complete(const Json& record) {
  return record.at("run_status").get_ref<const std::string&>().starts_with("complete");
}

Json value_at(const Json& json, const char* pointer) {
  const Json::json_pointer place(pointer);
  return json.contains(place) ? json.at(place) : Json();
}

std::string text_at(const Json& json, const char* pointer, const std::string& otherwise) {
  const Json value = value_at(json, pointer);
  return value.is_string() ? value.get<std::string>() : otherwise;
}

Json read_machine_record(const std::filesystem::path& folder) {
  constexpr std::uint64_t kMostMachineBytes = std::uint64_t{4} << 20;
  const std::filesystem::path file = folder / kMachineFile;
  return parse_machine_record(read_whole(file, kMostMachineBytes), file.string());
}

Json parse_machine_record(const std::string& text, const std::string& origin) {
  Json json = parse_json(text, origin);
  const auto refuse = [&](const std::string& why) {
    throw Failure(ExitCode::usage,
                  fmt::format("{}: {}; restore the file, or measure again", origin, why));
  };
  try {
    const JsonField record(json);
    const JsonField schema = record.at("schema_version");
    if (schema.value() != kSlicedSchema) {
      refuse(fmt::format("it has schema_version {}, and this version of muxlab reads {}",
                         schema.value().is_number() ? schema.value().dump() : "of no number",
                         kSlicedSchema));
    }
    (void)plan_from_field(record.at("plan"));
    const JsonField status = record.at("run_status");
    if (std::ranges::count(kRunStatuses, status.text()) == 0) {
      status.fail(fmt::format("{}", fmt::join(kRunStatuses, ", ")));
    }
    (void)record.at("started_utc").text();
    (void)record.at("program").text();
    record.at("command_line").each(kMostWords, [](const JsonField& word) { (void)word.text(); });
    (void)record.at("machine").at("kernel_release");
  } catch (const BadField& bad) {
    refuse(bad.what());
  }
  return json;
}

}  // namespace muxlab
