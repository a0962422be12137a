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
  echo_time,    ///< how long the load took, per echo: the inverse of throughput
  latency_p50,  ///< of an open loop, from when a message was due
  latency_p99,
  connection_time,  ///< how long the load took, per connection that came and went
  first_echo_p50,   ///< of a new connection, from connect(2)
  first_echo_p99,
};

/// As files and JSON have them; published, so never changed, only added to.
inline constexpr std::array<std::string_view, 7> kMetricNames = {
    "server_cpu_ns_per_echo", "time_ns_per_echo",  "latency_ns_p50",   "latency_ns_p99",
    "time_ns_per_connection", "first_echo_ns_p50", "first_echo_ns_p99"};
inline constexpr std::array kMetrics = {
    Metric::cpu,           Metric::echo_time,       Metric::latency_p50,
    Metric::latency_p99,   Metric::connection_time, Metric::first_echo_p50,
    Metric::first_echo_p99};

constexpr std::size_t index_of(Metric metric) { return static_cast<std::size_t>(metric); }
constexpr std::string_view name_of(Metric metric) { return kMetricNames[index_of(metric)]; }

/// What a Slice or a RigRecord says of `metric`, in nanoseconds; 0 where nothing of that was
/// measured.
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

/// Where servers and loads run. No throughput can be told of `shared`: the two sides take turns on
/// one processor, in lock-step.
enum class Placement : std::uint8_t { apart, shared };
inline const char* name_of(Placement placement) {
  return placement == Placement::shared ? "shared" : "apart";
}

/// One of the servers that are compared.
struct Contender {
  std::string name;            ///< in tables: the backend's, with what sets it apart from others
  std::string backend;         ///< what `muxlab serve` is given
  std::string threading = {};  ///< instead of the load's; empty: the load's
  std::string notify = {};     ///< likewise
};

/// What a contender runs at a load: `load` has no backend.
Cell cell_of(const Cell& load, const Contender& contender);

/// What a contender is there for.
enum class Role : std::uint8_t {
  baseline,    ///< what the others are compared with
  compared,    ///< what the user wants to know about
  same_again,  ///< self-check: the baseline once more, in which no difference may be found
  extra_call,  ///< self-check: one system call more per echo, which should be found
};

struct PlannedContender {
  Contender contender;
  Role role = Role::compared;
  [[nodiscard]] bool is_self_check() const {
    return role == Role::same_again || role == Role::extra_call;
  }
};

/// How long a slice is. One of an open loop has to be longer than a closed loop's, for percentiles,
/// and one in which connections come and go too.
inline constexpr std::int64_t kSlice_ns = 10'000'000, kChurnSlice_ns = 100'000'000,
                              kOpenSlice_ns = 250'000'000;

/// Slices in a row that a visit takes. A server that was started for it is visited for longer.
inline std::int64_t slices_of_visit(bool is_isolated, std::int64_t slice_ns) {
  constexpr std::int64_t kIsolatedVisit_ns = 250'000'000;
  return is_isolated ? std::max<std::int64_t>(kIsolatedVisit_ns / slice_ns, 1) : 1;
}

/// One load, and what of it is settled beforehand.
struct PlannedLoad {
  Cell cell;  ///< without a backend
  Placement placement = Placement::apart;
  Processors processors;  ///< of either side
  double seconds = 0;     ///< that it has, building included; those before it may leave it more
  std::int64_t slice_ns = kSlice_ns;  ///< a slice lasts so long at least
  /// Why a contender cannot take part, by its index; empty: it can.
  std::vector<std::string> unavailable;

  [[nodiscard]] bool is_busy() const { return cell.idle == 0; }
  /// Whether `metric` is compared at this load.
  [[nodiscard]] bool compares(Metric metric) const;
};

/// All that is decided before the first slice, and all that has to be known to go on.
struct SlicedPlan {
  std::vector<PlannedContender> contenders;  ///< the baseline first
  std::vector<PlannedLoad> loads;
  double same_within = 0.05;
  std::uint64_t slice_round_trips = 3;  ///< that each connection makes in a slice at least
  /// Each visit has a server and a load of its own, which are started for it: to see whether being
  /// side by side matters.
  bool is_isolated = false;
  bool time_calls = false;          ///< have servers add up the time in their system calls
  std::optional<double> precision;  ///< goes on until every interval is within ± this
  std::uint64_t seed = 0;
  std::vector<int> allowed_processors;
  std::vector<std::string> command_line;
  std::filesystem::path folder;
  std::string experiment;    ///< its name, "default" for the run that needs no options, or empty
  bool shares_time = false;  ///< what a load leaves of its time goes to those after it
  bool is_resumed = false;

  [[nodiscard]] const std::string& baseline() const { return contenders.front().contender.name; }
  /// Servers of the baseline in a rig: the more, the more there is to compare with it. Several, and
  /// not one that is visited more often: that one would find its memory in the caches more often.
  [[nodiscard]] std::uint64_t baseline_instances() const;
  /// Servers that are alive side by side.
  [[nodiscard]] std::uint64_t servers() const {
    return contenders.size() + baseline_instances() - 1;
  }
  /// How many comparisons of one metric it makes: at each load, and pooled ones.
  [[nodiscard]] std::size_t family(Metric metric) const;
  [[nodiscard]] double seconds() const;
};

/// A load in a few words: "100 busy", "100 busy, 5k silent", with what else is not as usual.
std::string name_of_load(const Cell& cell);

/// JSON has no NaN and no infinity: null stands for them.
nlohmann::ordered_json number_or_null(double value);

/// What a load is, in JSON; alike everywhere.
nlohmann::ordered_json load_json(const PlannedLoad& load);

/// More loads than anyone waits for.
inline constexpr std::size_t kMostLoads = 1'000;

/// For machine.json, and back. Throws BadField for what no plan has.
nlohmann::ordered_json plan_json(const SlicedPlan& plan);
SlicedPlan plan_from_json(const nlohmann::ordered_json& json);

/// Of the running executable: two builds have different ones.
std::string hash_of_program();

/// machine.json of a campaign in slices.
inline constexpr int kSlicedSchema = 3;
nlohmann::ordered_json new_machine_record(const SlicedPlan& plan);
void write_machine_record(const std::filesystem::path& folder, const nlohmann::ordered_json& json);
/// Throws Failure (usage) that names the file and the place in it for what is missing, broken or of
/// another schema.
nlohmann::ordered_json read_machine_record(const std::filesystem::path& folder);
/// The same of the text of such a file, which messages call `origin`.
nlohmann::ordered_json parse_machine_record(const std::string& text, const std::string& origin);
/// Whether such a record is of a campaign that has nothing left to measure.
bool is_complete(const nlohmann::ordered_json& record);
/// What is at that JSON pointer; null where nothing is.
nlohmann::ordered_json value_at(const nlohmann::ordered_json& json, const char* pointer);
/// The text there; `otherwise` where none is.
std::string text_at(const nlohmann::ordered_json& json, const char* pointer,
                    const std::string& otherwise = "");
/// Why the program of such a record is not one to measure; empty when it is, or is not known.
std::string doubt_of_build(const nlohmann::ordered_json& record);
/// Why results that were begun on the machine of that card are not of this one: those of two
/// machines, kernels, builds or sets of libraries do not mix. Empty where they are.
std::string why_another_machine(const nlohmann::ordered_json& before);

}  // namespace muxlab
