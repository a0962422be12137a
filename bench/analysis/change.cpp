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

/// Changes, and how well each is known.
struct Changes {
  std::vector<Change> changes;
  std::vector<Known> differences;

  void add(Change change, const std::optional<Known>& before, const std::optional<Known>& after) {
    if (!before || !after) return;
    change.before = std::exp(before->log);
    change.after = std::exp(after->log);
    changes.push_back(std::move(change));
    differences.push_back({after->log - before->log,
                           std::hypot(before->standard_error, after->standard_error),
                           std::min(before->degrees, after->degrees)});
  }
};

void add_load(const PlannedLoad& load, const Side& before, const Side& after, Changes& all) {
  const std::string& baseline = before.answer.plan.baseline();
  const bool is_relative = baseline == after.answer.plan.baseline();
  for (const PlannedContender& one : before.answer.plan.contenders) {
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
      all.add({.load = load,
               .contender = name,
               .figure = std::string(name_of(metric)),
               .is_relative = as_ratio,
               .ratio = {}},
              known(before), known(after));
    }
    all.add({.load = load, .contender = name, .figure = std::string(kCalls), .ratio = {}},
            from_rigs(before.records, load, name, calls_of),
            from_rigs(after.records, load, name, calls_of));
  }
}

void judge(Change& change, const Known& difference, double threshold, std::size_t family) {
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

}  // namespace

std::string_view name_of(ChangeVerdict verdict) {
  static constexpr std::array<std::string_view, 4> kNames = {"same", "improved", "regressed",
                                                             "unclear"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::vector<Change> compare_answers(const Answer& before, std::span<const RigRecord> before_records,
                                    const Answer& after, std::span<const RigRecord> after_records,
                                    double threshold) {
  const Side first{before, before_records}, second{after, after_records};
  Changes all;
  for (const LoadAnswer& load : before.loads) {
    if (load.is_measured() && second.find(load.load) != nullptr) {
      add_load(load.load, first, second, all);
    }
  }
  std::map<std::string, std::size_t> family;
  for (const Change& change : all.changes) ++family[change.figure];
  for (std::size_t i = 0; i < all.changes.size(); ++i) {
    Change& change = all.changes[i];
    judge(change, all.differences[i], threshold, family[change.figure]);
  }
  return std::move(all.changes);
}

}  // namespace muxlab
