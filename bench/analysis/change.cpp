#include "bench/analysis/change.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "bench/data/statistics.hpp"

namespace muxlab {
namespace {

constexpr std::string_view kCalls = "syscalls_per_echo";

/// One figure of a contender at a load, as a logarithm.
struct Known {
  double log = 0;
  double standard_error = 0;
  double degrees = 1;
};

/// From the means of rigs; nothing for fewer than two.
template <typename Value>
std::optional<Known> from_rigs(std::span<const RigRecord> records, const PlannedLoad& load,
                               const std::string& contender, Value value) {
  std::vector<double> logs;
  for (const RigRecord& record : records) {
    if (record.cell.backend != contender || !is_of(record, load)) continue;
    if (const double one = value(record); one > 0) logs.push_back(std::log(one));
  }
  if (logs.size() < 2) return std::nullopt;
  const auto count = static_cast<double>(logs.size());
  double mean = 0, squares = 0;
  for (const double log : logs) mean += log / count;
  for (const double log : logs) squares += (log - mean) * (log - mean);
  return Known{mean, std::sqrt(squares / (count - 1) / count), count - 1};
}

double calls_of(const RigRecord& record) {
  return record.echoes > 0
             ? static_cast<double>(record.all_calls()) / static_cast<double>(record.echoes)
             : 0;
}

/// One side of the comparison.
struct Side {
  const Answer& answer;
  std::span<const RigRecord> records;

  [[nodiscard]] const LoadAnswer* find(const PlannedLoad& load) const {
    const auto found = std::ranges::find_if(answer.loads, [&](const LoadAnswer& one) {
      return point_of(one.load.cell) == point_of(load.cell) &&
             one.load.placement == load.placement && one.is_measured();
    });
    return found == answer.loads.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::optional<Known> ratio(const PlannedLoad& load, const std::string& contender,
                                           Metric metric) const {
    const LoadAnswer* const at = find(load);
    if (at == nullptr) return std::nullopt;
    for (const AtLoad& one : at->contenders) {
      const auto& compared = one.compared[metric];
      if (one.planned.contender.name != contender || !compared) continue;
      if (!std::isfinite(compared->estimate.standard_error)) return std::nullopt;
      return Known{compared->estimate.log_ratio, compared->estimate.standard_error,
                   compared->estimate.degrees};
    }
    return std::nullopt;
  }
};

class Comparing {
 public:
  Comparing(const Side& before, const Side& after) : before_(before), after_(after) {}

  std::vector<Change> run(double threshold) {
    for (const LoadAnswer& load : before_.answer.loads) {
      if (load.is_measured() && after_.find(load.load) != nullptr) add_load(load.load);
    }
    std::map<std::string, std::size_t> family;
    for (const Change& change : changes_) ++family[change.figure];
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      judge(changes_[i], differences_[i], threshold, family[changes_[i].figure]);
    }
    return std::move(changes_);
  }

 private:
  void add_load(const PlannedLoad& load) {
    const std::string& baseline = before_.answer.plan.baseline();
    const bool is_relative = baseline == after_.answer.plan.baseline();
    for (const PlannedContender& one : before_.answer.plan.contenders) {
      if (one.is_self_check()) continue;
      const std::string& name = one.contender.name;
      for (const Metric metric : {Metric::cpu, Metric::latency_p50, Metric::latency_p99}) {
        if (!load.compares(metric)) continue;
        const bool as_ratio = is_relative && one.role != Role::baseline;
        const auto known = [&](const Side& side) {
          if (as_ratio) return side.ratio(load, name, metric);
          return from_rigs(side.records, load, name,
                           [metric](const RigRecord& record) { return ns_of(record, metric); });
        };
        add({.load = load,
             .contender = name,
             .figure = std::string(name_of(metric)),
             .is_relative = as_ratio,
             .ratio = {}},
            known(before_), known(after_));
      }
      add({.load = load, .contender = name, .figure = std::string(kCalls), .ratio = {}},
          from_rigs(before_.records, load, name, calls_of),
          from_rigs(after_.records, load, name, calls_of));
    }
  }

  void add(Change change, const std::optional<Known>& before, const std::optional<Known>& after) {
    if (!before || !after) return;
    change.before = std::exp(before->log);
    change.after = std::exp(after->log);
    changes_.push_back(std::move(change));
    differences_.push_back({after->log - before->log,
                            std::hypot(before->standard_error, after->standard_error),
                            std::min(before->degrees, after->degrees)});
  }

  static void judge(Change& change, const Known& difference, double threshold, std::size_t family) {
    const double error = kFamilyError / static_cast<double>(family);
    const double reach = t_exceeded_by(error, difference.degrees) * difference.standard_error;
    change.ratio = {.ratio = std::exp(difference.log),
                    .low = std::exp(difference.log - reach),
                    .high = std::exp(difference.log + reach)};
    const double margin = 1 + threshold;
    change.verdict = change.ratio.low > margin        ? ChangeVerdict::regressed
                     : change.ratio.high < 1 / margin ? ChangeVerdict::improved
                     : change.ratio.low >= 1 / margin && change.ratio.high <= margin
                         ? ChangeVerdict::same
                         : ChangeVerdict::unclear;
  }

  const Side before_;
  const Side after_;
  std::vector<Change> changes_;
  std::vector<Known> differences_;  // of each of them
};

}  // namespace

std::string_view name_of(ChangeVerdict verdict) {
  static constexpr std::array<std::string_view, 4> kNames = {"same", "improved", "regressed",
                                                             "unclear"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::vector<Change> compare_answers(const Answer& before, std::span<const RigRecord> before_records,
                                    const Answer& after, std::span<const RigRecord> after_records,
                                    double threshold) {
  return Comparing({before, before_records}, {after, after_records}).run(threshold);
}

}  // namespace muxlab
