#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "backends/parts/process.hpp"
#include "bench/data/experiment.hpp"

namespace muxlab {

/// A quantity that is compared. Each is a cost, so a lower value is better.
enum class Metric : std::uint8_t {
  cpu,          ///< of the server process, per echo
  echo_time,    ///< duration of the load per echo: the inverse of throughput
  latency_p50,  ///< of an open loop, from when a message was due
  latency_p99,
  connection_time,  ///< duration of the load per opened connection
  first_echo_p50,   ///< of a new connection, from connect(2)
  first_echo_p99,
};

/// Names in files and JSON. They are published: never change one, only add.
inline constexpr std::array<std::string_view, 7> kMetricNames = {
    "server_cpu_ns_per_echo", "time_ns_per_echo",  "latency_ns_p50",   "latency_ns_p99",
    "time_ns_per_connection", "first_echo_ns_p50", "first_echo_ns_p99"};
inline constexpr std::array kMetrics = {
    Metric::cpu,           Metric::echo_time,       Metric::latency_p50,
    Metric::latency_p99,   Metric::connection_time, Metric::first_echo_p50,
    Metric::first_echo_p99};

constexpr std::size_t index_of(Metric metric) { return static_cast<std::size_t>(metric); }
constexpr std::string_view name_of(Metric metric) { return kMetricNames[index_of(metric)]; }

/// Returns `metric` of a Slice or a RigRecord in nanoseconds; 0 if it was not measured.
template <typename Measured>
double ns_of(const Measured& measured, Metric metric) {
  const auto each = [](auto all, std::uint64_t count) {
    return count > 0 ? static_cast<double>(all) / static_cast<double>(count) : 0;
  };
  switch (metric) {
    case Metric::cpu:
      return each(measured.cpu_ns, measured.echoes);
    case Metric::echo_time:
      return each(measured.elapsed_ns, measured.echoes);
    case Metric::connection_time:
      return each(measured.elapsed_ns, measured.opened);
    case Metric::latency_p50:
      return static_cast<double>(measured.p50());
    case Metric::latency_p99:
      return static_cast<double>(measured.p99());
    case Metric::first_echo_p50:
      return static_cast<double>(measured.first_echo_ns_p50);
    default:
      return static_cast<double>(measured.first_echo_ns_p99);
  }
}

/// One value per metric.
template <typename Value>
class ByMetric {
 public:
  Value& operator[](Metric metric) { return values_[index_of(metric)]; }
  const Value& operator[](Metric metric) const { return values_[index_of(metric)]; }

 private:
  std::array<Value, kMetrics.size()> values_{};
};

/// Where servers and loads run. `apart`: on different processors. `shared`: in turn on one
/// processor, in lock-step, so echo_time is not compared.
enum class Placement : std::uint8_t { apart, shared };
inline const char* name_of(Placement placement) {
  return placement == Placement::shared ? "shared" : "apart";
}

/// One of the servers that are compared.
struct Contender {
  std::string name;            ///< in tables: the backend's, and how it differs from others
  std::string backend;         ///< the argument of `muxlab serve`
  std::string threading = {};  ///< instead of the load's; empty: the load's
  std::string notify = {};     ///< likewise
};

/// Returns the cell of a contender at a load; `load` has no backend.
Cell cell_of(const Cell& load, const Contender& contender);

/// The purpose of a contender.
enum class Role : std::uint8_t {
  baseline,    ///< the reference of all comparisons
  compared,    ///< compared with the baseline
  same_again,  ///< self-check: the baseline again; no difference may be found
  extra_call,  ///< self-check: one more system call per echo, which should be found
};

struct PlannedContender {
  Contender contender;
  Role role = Role::compared;
  [[nodiscard]] bool is_self_check() const {
    return role == Role::same_again || role == Role::extra_call;
  }
};

/// Durations of a slice. Open loops need longer slices for percentiles; churn needs longer ones
/// too.
inline constexpr std::int64_t kSlice_ns = 10'000'000, kChurnSlice_ns = 100'000'000,
                              kOpenSlice_ns = 250'000'000;

/// Returns the number of consecutive slices of a visit. An isolated server is visited for longer.
inline std::int64_t slices_of_visit(bool is_isolated, std::int64_t slice_ns) {
  constexpr std::int64_t kIsolatedVisit_ns = 250'000'000;
  return is_isolated ? std::max<std::int64_t>(kIsolatedVisit_ns / slice_ns, 1) : 1;
}

/// One load, as planned.
struct PlannedLoad {
  Cell cell;  ///< without a backend
  Placement placement = Placement::apart;
  Processors processors;  ///< of either side
  double seconds = 0;     ///< its time, building included; earlier loads may leave it more
  std::int64_t slice_ns = kSlice_ns;  ///< minimum duration of a slice
  /// Why a contender cannot take part, by its index; empty: it can.
  std::vector<std::string> unavailable;

  [[nodiscard]] bool is_busy() const { return cell.idle == 0; }
  /// Whether `metric` is compared at this load.
  [[nodiscard]] bool compares(Metric metric) const;
};

/// All decisions made before the first slice; enough to resume a campaign.
struct SlicedPlan {
  std::vector<PlannedContender> contenders;  ///< the baseline first
  std::vector<PlannedLoad> loads;
  double same_within = 0.05;
  std::uint64_t slice_round_trips = 3;  ///< minimum per connection and slice
  /// Each visit starts a server and a load of its own, to show whether running side by side
  /// matters.
  bool is_isolated = false;
  bool time_calls = false;          ///< servers add up the time in their system calls
  std::optional<double> precision;  ///< measure until every interval is within ± this
  std::uint64_t seed = 0;
  std::vector<int> allowed_processors;
  std::vector<std::string> command_line;
  std::filesystem::path folder;
  std::string experiment;    ///< its name, "default" for the run that needs no options, or empty
  bool shares_time = false;  ///< later loads get the time that a load leaves
  bool is_resumed = false;

  [[nodiscard]] const std::string& baseline() const { return contenders.front().contender.name; }
  /// Returns the number of baseline servers in a rig; it grows with the number of comparisons. One
  /// server with more visits would not do: it would find its memory in the caches more often.
  [[nodiscard]] std::uint64_t baseline_instances() const;
  /// Returns the number of servers that run side by side.
  [[nodiscard]] std::uint64_t servers() const {
    return contenders.size() + baseline_instances() - 1;
  }
  /// Returns the number of comparisons of one metric: at each load, and pooled ones.
  [[nodiscard]] std::size_t family(Metric metric) const;
  [[nodiscard]] double seconds() const;
};

/// Names a load: "100 busy", "100 busy, 5k silent", followed by its unusual values.
std::string name_of_load(const Cell& cell);

/// Returns null for NaN and infinity, which JSON lacks.
nlohmann::ordered_json number_or_null(double value);

/// Returns a load as JSON, in the form that all documents use.
nlohmann::ordered_json load_json(const PlannedLoad& load);

/// The most loads of a campaign.
inline constexpr std::size_t kMostLoads = 1'000;

/// Convert a plan to JSON for machine.json, and back. Throws BadField for an invalid plan.
nlohmann::ordered_json plan_json(const SlicedPlan& plan);
SlicedPlan plan_from_json(const nlohmann::ordered_json& json);

/// Returns a hash of the running executable; two builds have different hashes.
std::string hash_of_program();

/// machine.json of a campaign in slices.
inline constexpr int kSlicedSchema = 3;
nlohmann::ordered_json new_machine_record(const SlicedPlan& plan);
void write_machine_record(const std::filesystem::path& folder, const nlohmann::ordered_json& json);
/// Throws Failure (usage), with the file and the place in it, for a missing or broken file and for
/// another schema.
nlohmann::ordered_json read_machine_record(const std::filesystem::path& folder);
/// Parses the text of such a file; error messages call it `origin`.
nlohmann::ordered_json parse_machine_record(const std::string& text, const std::string& origin);
/// Returns whether the campaign of the record has nothing left to measure.
bool is_complete(const nlohmann::ordered_json& record);
/// Returns the value at that JSON pointer; null if there is none.
nlohmann::ordered_json value_at(const nlohmann::ordered_json& json, const char* pointer);
/// Returns the text at that JSON pointer; `otherwise` if there is none.
std::string text_at(const nlohmann::ordered_json& json, const char* pointer,
                    const std::string& otherwise = "");
/// Returns why the program of the record should not be measured; empty: it is fine, or unknown.
std::string doubt_of_build(const nlohmann::ordered_json& record);
/// Returns how this machine differs from the one in `before`; empty: it is the same. Results of two
/// machines, kernels, builds or sets of libraries must not mix.
std::string why_another_machine(const nlohmann::ordered_json& before);

}  // namespace muxlab
