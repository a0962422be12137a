#include "bench/analysis/answer.hpp"

#include <algorithm>
#include <numeric>

#include "backends/backend.hpp"

namespace muxlab {
namespace {

/// The records of one contender at one load, added up.
struct Sums {
  double echoes = 0, cpu_ns = 0, events = 0, elapsed_ns = 0, window_events = 0, window_waits = 0;
  std::array<double, kCallNames.size()> calls{};

  void add(const RigRecord& record) {
    echoes += static_cast<double>(record.echoes);
    cpu_ns += static_cast<double>(record.cpu_ns);
    events += static_cast<double>(record.events);
    elapsed_ns += static_cast<double>(record.elapsed_ns);
    window_events += static_cast<double>(record.window_events);
    window_waits += static_cast<double>(record.window_waits);
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i] += static_cast<double>(record.calls[i]);
  }
  [[nodiscard]] double cost() const { return cpu_ns / echoes; }
};

Rule rule_of(const SlicedPlan& plan) {
  return {.same_within = plan.same_within, .family = plan.family()};
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
    for (std::size_t look = 0; look < inflations_.size(); ++look) {
      inflations_[look] = inflation_at(look, before);
    }
    answer_.inflation = inflations_.back();
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

  /// Of the rigs up to that look: later rigs do not change its decisions.
  [[nodiscard]] Inflation inflation_at(std::size_t look, std::span<const Inflation> before) const {
    std::vector<std::vector<RigSummary>> comparisons;
    for (const PlannedContender& one : plan_.contenders) {
      if (one.role == Role::baseline) continue;
      std::vector<RigSummary> rigs;
      for (const RigRecord* record : records_of(one.contender.name)) {
        if (record->look <= look) rigs.push_back(record->summary);
      }
      comparisons.push_back(std::move(rigs));
    }
    return inflation_with(inflation_of(comparisons, plan_.baseline_instances()), before);
  }

  [[nodiscard]] AtLoad at_load(const PlannedContender& planned,
                               const std::string& unavailable) const {
    AtLoad all;
    all.planned = planned;
    all.reason = unavailable;
    const auto records = records_of(planned.contender.name);
    Sums sums;
    for (const RigRecord* record : records) {
      sums.add(*record);
      all.broken += record->broken;
      if (all.reason.empty()) all.reason = record->reason;
    }
    if (!unavailable.empty() || sums.echoes == 0) {
      all.status = unavailable.empty() && !records.empty() ? Status::failed : Status::unavailable;
      return all;
    }
    fill_in(all, sums);
    const Backend* const backend = find_backend(planned.contender.backend);
    if (planned.role == Role::baseline) {
      all.cpu_ns_per_echo = sums.cost();
    } else if (backend != nullptr && backend->is_told) {
      all.reason =
          "it spins while the load client uses the processor, so its CPU time is not a cost";
    } else {
      compare(all, records, sums);
    }
    return all;
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
    if (answer_.load.placement == Placement::apart && sums.elapsed_ns > 0) {
      all.echoes_per_s = sums.echoes / sums.elapsed_ns * 1e9;
    }
  }

  /// With the baseline in the same rigs: a contender that was decided is not in the later ones.
  void compare(AtLoad& all, const std::vector<const RigRecord*>& records, const Sums& sums) const {
    Compared compared;
    std::vector<RigSummary> rigs;
    Sums baseline, baseline_always;
    const auto of_baseline = records_of(plan_.baseline());
    for (const RigRecord* record : records) {
      if (record->summary.blocks == 0) continue;
      rigs.push_back(record->summary);
      compared.look = std::max<std::size_t>(compared.look, record->look);
      for (const RigRecord* other : of_baseline) {
        if (other->rig == record->rig) baseline.add(*other);
      }
    }
    if (rigs.empty() || baseline.echoes == 0) return;
    for (const RigRecord* other : of_baseline) baseline_always.add(*other);
    compared.estimate = estimate_of(rigs, inflations_[compared.look]);
    compared.finding = judge(compared.estimate, compared.look, rule_of(plan_));
    compared.is_enough = is_enough(compared.estimate, compared.look);
    if (!compared.is_enough) compared.finding.verdict = Verdict::unclear;
    compared.ratio_of_sums = sums.cost() / baseline.cost();
    all.cpu_ns_per_echo = baseline_always.cost() * compared.finding.ratio;
    all.compared = compared;
  }

  const SlicedPlan& plan_;
  LoadAnswer answer_;
  std::vector<const RigRecord*> records_;
  std::array<Inflation, kLookErrors.size()> inflations_;
};

/// The comparisons of one contender at the loads that `counts`.
template <typename Counts>
std::vector<const Compared*> comparisons_of(const Answer& answer, std::size_t contender,
                                            Counts counts) {
  std::vector<const Compared*> found;
  for (const LoadAnswer& load : answer.loads) {
    if (!counts(load)) continue;
    const auto& compared = load.contenders[contender].compared;
    found.push_back(compared ? &*compared : nullptr);
  }
  return found;
}

std::optional<Finding> pool_all(const Answer& answer, std::span<const Compared* const> all) {
  std::vector<Estimate> estimates;
  std::vector<Finding> cells;
  for (const Compared* one : all) {
    if (one == nullptr) return std::nullopt;  // never a chosen subset
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

/// Calls `visit` with each comparison that the user asked for.
template <typename Visit>
void each_asked(const Answer& answer, Visit visit) {
  for (const LoadAnswer& load : answer.loads) {
    for (const AtLoad& one : load.contenders) {
      const bool is_no_cost = one.status == Status::measured && !one.compared;
      if (one.planned.role != Role::compared || one.status == Status::unavailable || is_no_cost) {
        continue;
      }
      visit(one);
    }
  }
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
  each_asked(*this, [&](const AtLoad&) { ++count; });
  return count;
}

std::size_t Answer::decided() const {
  std::size_t count = 0;
  each_asked(*this, [&](const AtLoad& one) {
    count += one.compared && one.compared->finding.verdict != Verdict::unclear ? 1 : 0;
  });
  return count;
}

bool Answer::is_precise() const {
  if (!plan.precision) return true;
  bool precise = true;
  each_asked(*this, [&](const AtLoad& one) {
    precise = precise && one.compared && is_settled(*one.compared, plan.precision);
  });
  return precise;
}

bool is_settled(const Compared& compared, const std::optional<double>& precision) {
  if (precision) return compared.is_enough && compared.finding.half_width() <= *precision;
  return compared.finding.verdict != Verdict::unclear;
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
  // Whether it is seen, and not how large it is: that loads differ is no matter here.
  if (finding && finding->verdict == Verdict::depends) {
    finding->verdict = verdict_of(*finding, answer.plan.same_within);
  }
  return finding;
}

}  // namespace muxlab
