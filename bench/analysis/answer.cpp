#include "bench/analysis/answer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "bench/data/statistics.hpp"

namespace muxlab {
namespace {

/// The records of one contender at one load, added up.
struct Sums {
  double echoes = 0, cpu_ns = 0, events = 0, elapsed_ns = 0, client_cpu_ns = 0, opened = 0,
         window_events = 0, window_waits = 0;
  std::array<double, kCallNames.size()> calls{};

  void add(const RigRecord& record) {
    echoes += static_cast<double>(record.echoes);
    cpu_ns += static_cast<double>(record.cpu_ns);
    events += static_cast<double>(record.events);
    elapsed_ns += static_cast<double>(record.elapsed_ns);
    client_cpu_ns += static_cast<double>(record.client_cpu_ns);
    opened += static_cast<double>(record.opened);
    window_events += static_cast<double>(record.window_events);
    window_waits += static_cast<double>(record.window_waits);
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i] += static_cast<double>(record.calls[i]);
  }
  [[nodiscard]] double cost() const { return cpu_ns / echoes; }
  /// Returns `metric` from the sums; NaN for percentiles, which have no sum.
  [[nodiscard]] double of(Metric metric) const {
    if (metric == Metric::cpu) return cost();
    if (metric == Metric::echo_time) return elapsed_ns / echoes;
    return metric == Metric::connection_time ? elapsed_ns / opened : kNotMeasured;
  }
};

Rule rule_of(const SlicedPlan& plan, Metric metric = Metric::cpu) {
  return {.same_within = plan.same_within, .family = plan.family(metric)};
}

/// Returns the bound, from the load of both sides' processors.
Bound bound_of(const Sums& sums, const PlannedLoad& load) {
  constexpr double kServerBusy = 0.95, kClientBusy = 0.90;
  // If one side is busy and the other nearly so, either may limit the rate.
  constexpr double kServerNearlyBusy = 0.90, kClientNearlyBusy = 0.85;
  if (load.placement == Placement::shared || sums.elapsed_ns <= 0) return Bound::unknown;
  const auto share = [&](double cpu_ns, const std::vector<int>& processors) {
    return cpu_ns / sums.elapsed_ns / static_cast<double>(processors.size());
  };
  const double server = share(sums.cpu_ns, load.processors.server);
  const double client = share(sums.client_cpu_ns, load.processors.client);
  if (server < kServerBusy && client < kClientBusy) {
    return load.cell.rate_per_s > 0 ? Bound::offered : Bound::waiting;
  }
  if (server >= kServerNearlyBusy && client >= kClientNearlyBusy) return Bound::both;
  return server >= kServerBusy ? Bound::server : Bound::client;
}

class LoadAnalysis {
 public:
  LoadAnalysis(const SlicedPlan& plan, const PlannedLoad& load, std::span<const RigRecord> all)
      : plan_(plan) {
    answer_.load = load;
    for (const RigRecord& record : all) {
      if (is_of(record, load)) records_.push_back(&record);
    }
  }

  LoadAnswer run(std::span<const Inflation> before) {
    note_conditions();
    for (const Metric metric : kMetrics) {
      if (!answer_.load.compares(metric)) continue;
      for (std::size_t look = 0; look < kLookErrors.size(); ++look) {
        inflations_[metric][look] = inflation_at(
            look, metric, metric == Metric::cpu ? before : std::span<const Inflation>());
      }
    }
    answer_.inflation = inflations_[Metric::cpu].back();
    const Bound baseline = bound_of(sums_of(records_of(plan_.baseline())), answer_.load);
    is_server_bound_ = baseline == Bound::server;
    for (std::size_t i = 0; i < plan_.contenders.size(); ++i) {
      answer_.contenders.push_back(at_load(plan_.contenders[i], answer_.load.unavailable[i]));
    }
    return std::move(answer_);
  }

 private:
  [[nodiscard]] std::vector<const RigRecord*> records_of(const std::string& contender) const {
    std::vector<const RigRecord*> found;
    std::ranges::copy_if(records_, std::back_inserter(found), [&](const RigRecord* record) {
      return record->cell.backend == contender;
    });
    return found;
  }

  void note_conditions() {
    const auto baseline = records_of(plan_.baseline());
    double seconds = 0;
    for (const RigRecord* record : baseline) {
      answer_.stolen_share += record->stolen_share * record->seconds;
      answer_.others_share += record->others_share * record->seconds;
      seconds += record->seconds;
    }
    answer_.rigs = baseline.size();
    if (seconds <= 0) return;
    answer_.stolen_share /= seconds;
    answer_.others_share /= seconds;
  }

  /// Uses only the rigs up to that look, so that later rigs do not change its decisions.
  [[nodiscard]] Inflation inflation_at(std::size_t look, Metric metric,
                                       std::span<const Inflation> before) const {
    std::vector<std::vector<RigSummary>> comparisons;
    for (const PlannedContender& one : plan_.contenders) {
      if (one.role == Role::baseline) continue;
      std::vector<RigSummary> rigs;
      for (const RigRecord* record : records_of(one.contender.name)) {
        if (record->look <= look) rigs.push_back(record->summaries[metric]);
      }
      comparisons.push_back(std::move(rigs));
    }
    return inflation_with(inflation_of(comparisons, plan_.baseline_instances()), before);
  }

  [[nodiscard]] AtLoad at_load(const PlannedContender& planned,
                               const std::string& unavailable) const {
    AtLoad all;
    all.planned = planned;
    for (const Metric metric : kMetrics) all.ns[metric] = kNotMeasured;
    all.latency_ns.fill(kNotMeasured);
    all.reason = unavailable;
    const auto records = records_of(planned.contender.name);
    const Sums sums = sums_of(records);
    for (const RigRecord* record : records) {
      all.broken += record->broken;
      all.unsent += record->unsent;
      all.delayed += record->delayed;
      if (all.reason.empty()) all.reason = record->reason;
    }
    if (!unavailable.empty() || sums.echoes == 0) {
      all.status = unavailable.empty() && !records.empty() ? Status::failed : Status::unavailable;
      return all;
    }
    fill_in(all, sums);
    for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
      all.latency_ns[i] = median_of(records, [i](const RigRecord& record) {
        return static_cast<double>(record.latency_ns[i]);
      });
    }
    for (const Metric metric : kMetrics) {
      const bool is_cost = metric != Metric::cpu || planned.role == Role::baseline;
      all.ns[metric] = is_cost ? own_ns(metric, records) : kNotMeasured;
    }
    const Backend* const backend = find_backend(planned.contender.backend);
    if (planned.role == Role::baseline) return all;
    if (backend != nullptr && is_oracle(*backend)) {
      all.reason =
          "it spins while the load client uses the processor, so its CPU time is not a cost";
    } else {
      for (const Metric metric : kMetrics) compare(all, metric, records);
    }
    return all;
  }

  static Sums sums_of(const std::vector<const RigRecord*>& records) {
    Sums sums;
    for (const RigRecord* record : records) sums.add(*record);
    return sums;
  }

  /// Returns the median of the rigs that measured something.
  template <typename Value>
  static double median_of(const std::vector<const RigRecord*>& records, Value value) {
    std::vector<double> values;
    for (const RigRecord* record : records) {
      if (const double one = value(*record); one > 0) values.push_back(one);
    }
    const auto spread = spread_of(std::move(values));
    return spread ? spread->median : kNotMeasured;
  }

  /// Computes the value from the sums of all rigs; for percentiles, the median of the rigs.
  [[nodiscard]] double own_ns(Metric metric, const std::vector<const RigRecord*>& records) const {
    if (!answer_.load.compares(metric)) return kNotMeasured;
    const double of_sums = sums_of(records).of(metric);
    if (!std::isnan(of_sums)) return of_sums;
    return median_of(records, [metric](const RigRecord& record) { return ns_of(record, metric); });
  }

  void fill_in(AtLoad& all, const Sums& sums) const {
    for (std::size_t i = 0; i < sums.calls.size(); ++i) {
      all.calls_per_echo[i] = sums.calls[i] / sums.echoes;
    }
    all.syscalls_per_echo =
        std::accumulate(all.calls_per_echo.begin(), all.calls_per_echo.end(), 0.0);
    if (sums.calls[0] > 0) all.events_per_wait = sums.events / sums.calls[0];
    if (sums.window_waits > 0) {
      all.window_events_per_wait = sums.window_events / sums.window_waits;
    }
    all.bound = bound_of(sums, answer_.load);
    if (answer_.load.placement == Placement::apart && sums.elapsed_ns > 0) {
      all.echoes_per_s = sums.echoes / sums.elapsed_ns * 1e9;
    }
  }

  /// Compares with the baseline of the same rigs, because a decided contender skips later rigs.
  void compare(AtLoad& all, Metric metric, const std::vector<const RigRecord*>& records) const {
    if (!answer_.load.compares(metric)) return;
    if (metric == Metric::echo_time && !(is_server_bound_ && all.bound == Bound::server)) return;
    Compared compared;
    std::vector<RigSummary> rigs;
    Sums own, baseline;
    const auto of_baseline = records_of(plan_.baseline());
    for (const RigRecord* record : records) {
      const RigSummary& summary = record->summaries[metric];
      if (summary.blocks == 0) continue;
      rigs.push_back(summary);
      own.add(*record);
      compared.look = std::max<std::size_t>(compared.look, record->look);
      for (const RigRecord* other : of_baseline) {
        if (other->rig == record->rig) baseline.add(*other);
      }
    }
    if (rigs.empty() || baseline.echoes == 0) return;
    compared.estimate = estimate_of(rigs, inflations_[metric][compared.look]);
    compared.finding = judge(compared.estimate, compared.look, rule_of(plan_, metric));
    compared.is_enough = is_enough(compared.estimate, compared.look);
    if (!compared.is_enough) compared.finding.verdict = Verdict::unclear;
    compared.ratio_of_sums = own.of(metric) / baseline.of(metric);
    all.ns[metric] = own_ns(metric, of_baseline) * compared.finding.ratio;
    all.compared[metric] = compared;
  }

  const SlicedPlan& plan_;
  LoadAnswer answer_;
  std::vector<const RigRecord*> records_;
  ByMetric<std::array<Inflation, kLookErrors.size()>> inflations_;
  bool is_server_bound_ = false;
};

/// The comparisons of one contender's CPU time at the loads that `counts`.
template <typename Counts>
std::vector<const Compared*> comparisons_of(const Answer& answer, std::size_t contender,
                                            Counts counts) {
  std::vector<const Compared*> found;
  for (const LoadAnswer& load : answer.loads) {
    if (!counts(load)) continue;
    const auto& compared = load.contenders[contender].compared[Metric::cpu];
    found.push_back(compared ? &*compared : nullptr);
  }
  return found;
}

std::optional<Finding> pool_all(const Answer& answer, std::span<const Compared* const> all) {
  std::vector<Estimate> estimates;
  std::vector<Finding> cells;
  for (const Compared* one : all) {
    if (one == nullptr) return std::nullopt;  // pool all loads or none
    estimates.push_back(one->estimate);
    cells.push_back(one->finding);
  }
  if (cells.empty()) return std::nullopt;
  std::optional<Finding> pooled =
      cells.size() == 1 ? cells.front() : pool(estimates, cells, rule_of(answer.plan));
  const bool is_enough =
      std::ranges::all_of(all, [](const Compared* one) { return one->is_enough; });
  if (!is_enough) pooled->verdict = Verdict::unclear;
  return pooled;
}

void pool_busy_loads(Answer& answer) {
  for (std::size_t i = 1; i < answer.plan.contenders.size(); ++i) {
    const auto busy = comparisons_of(answer, i, [](const auto& one) { return one.load.is_busy(); });
    if (busy.size() < 2) continue;
    if (const auto finding = pool_all(answer, busy)) {
      answer.pooled.push_back({answer.plan.contenders[i], *finding});
    }
  }
}

/// Returns false for echo_time, because a plan cannot choose the bound of a load.
bool is_waited_for(Metric metric, const PlannedLoad& load) {
  return metric != Metric::echo_time && load.compares(metric);
}

/// Calls `visit` with each comparison that the user asked for; with nothing if it is missing.
template <typename Visit>
void each_asked(const Answer& answer, Visit visit) {
  for (const LoadAnswer& load : answer.loads) {
    for (const AtLoad& one : load.contenders) {
      const bool is_no_cost = one.status == Status::measured && !one.compared[Metric::cpu];
      if (one.planned.role != Role::compared || one.status == Status::unavailable || is_no_cost) {
        continue;
      }
      for (const Metric metric : kMetrics) {
        if (is_waited_for(metric, load.load)) visit(one.compared[metric]);
      }
    }
  }
}

bool is_settled(const Compared& compared, const std::optional<double>& precision) {
  if (precision) return compared.is_enough && compared.finding.half_width() <= *precision;
  return compared.finding.verdict != Verdict::unclear;
}

}  // namespace

Answer answer_of(const SlicedPlan& plan, std::span<const RigRecord> records) {
  Answer answer;
  answer.plan = plan;
  std::vector<Inflation> before;
  for (const PlannedLoad& load : plan.loads) {
    answer.loads.push_back(LoadAnalysis(plan, load, records).run(before));
    if (answer.loads.back().rigs >= kFewestRigs) before.push_back(answer.loads.back().inflation);
  }
  pool_busy_loads(answer);
  return answer;
}

std::uint64_t Answer::broken_slices() const {
  std::uint64_t all = 0;
  for (const LoadAnswer& load : loads) {
    for (const AtLoad& one : load.contenders) all += one.broken;
  }
  return all;
}

bool Answer::has_failed() const {
  return broken_slices() > 0 || std::ranges::any_of(loads, [](const LoadAnswer& load) {
           return std::ranges::any_of(
               load.contenders, [](const AtLoad& one) { return one.status == Status::failed; });
         });
}

std::size_t Answer::asked() const {
  std::size_t count = 0;
  each_asked(*this, [&](const auto&) { ++count; });
  return count;
}

std::size_t Answer::decided() const {
  std::size_t count = 0;
  each_asked(*this, [&](const auto& compared) {
    count += compared && compared->finding.verdict != Verdict::unclear ? 1 : 0;
  });
  return count;
}

bool Answer::is_precise() const {
  if (!plan.precision) return true;
  bool precise = true;
  each_asked(*this, [&](const auto& compared) {
    precise = precise && compared && is_settled(*compared, plan.precision);
  });
  return precise;
}

bool is_settled(const AtLoad& one, const PlannedLoad& load,
                const std::optional<double>& precision) {
  return std::ranges::all_of(kMetrics, [&](Metric metric) {
    return !is_waited_for(metric, load) ||
           (one.compared[metric] && is_settled(*one.compared[metric], precision));
  });
}

std::string_view name_of(Bound bound) {
  static constexpr std::array<std::string_view, 6> kNames = {"",     "server",  "client",
                                                             "both", "waiting", "offered"};
  return kNames[static_cast<std::size_t>(bound)];
}

std::optional<Finding> self_check(const Answer& answer, Role role) {
  const auto& planned = answer.plan.contenders;
  const auto found = std::ranges::find(planned, role, &PlannedContender::role);
  if (found == planned.end()) return std::nullopt;
  const auto index = static_cast<std::size_t>(found - planned.begin());
  const bool any_busy = std::ranges::any_of(answer.plan.loads, &PlannedLoad::is_busy);
  const auto all = comparisons_of(answer, index,
                                  [&](const auto& one) { return !any_busy || one.load.is_busy(); });
  auto finding = pool_all(answer, all);
  // The check asks whether the difference is seen, not how large it is. So loads may differ.
  if (finding && finding->verdict == Verdict::depends) {
    finding->verdict = verdict_of(*finding, answer.plan.same_within);
  }
  return finding;
}

}  // namespace muxlab
