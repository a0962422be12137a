#include "bench/trial_pairs.hpp"

#include <cmath>
#include <limits>
#include <map>

#include "bench/gates.hpp"

namespace muxlab {
namespace {

using Attempts = std::vector<const TrialRow*>;
using RoundAtPoint = std::pair<Point, std::uint64_t>;

bool is_fair(const TrialOutcome& outcome) {
  return outcome.status == TrialStatus::ok ||
         (outcome.status == TrialStatus::untrusted && is_only_slow(outcome.reason));
}

double cpu_of(const TrialRow& trial) {
  return trial.outcome.metrics[Metric::server_cpu_ns_per_echo];
}

std::map<RoundAtPoint, Attempts> attempts_of(std::string_view backend,
                                             std::span<const TrialRow> trials) {
  std::map<RoundAtPoint, Attempts> attempts;
  for (const TrialRow& trial : trials) {
    if (trial.cell.backend != backend || !is_fair(trial.outcome)) continue;
    if (std::isnan(cpu_of(trial))) continue;
    attempts[{point_of(trial.cell), trial.round}].push_back(&trial);
  }
  return attempts;
}

/// By which factor the machine was slower in one of them. Where that was not measured, of two
/// trials that nothing disturbed it was no more than a gate allows.
double factor_between(const TrialOutcome& one, const TrialOutcome& other) {
  const double ratio = one.metrics[Metric::canary_ns] / other.metrics[Metric::canary_ns];
  if (!std::isnan(ratio)) return std::fmax(ratio, 1 / ratio);
  const bool are_ok = one.status == TrialStatus::ok && other.status == TrialStatus::ok;
  return are_ok ? Gates().canary_ratio : std::numeric_limits<double>::infinity();
}

}  // namespace

std::vector<TrialPairs> pair_trials(std::span<const TrialRow> trials, std::string_view backend,
                                    std::string_view baseline) {
  std::vector<TrialPairs> all;
  const auto others = attempts_of(baseline, trials);
  for (const auto& [where, attempts] : attempts_of(backend, trials)) {
    const auto found = others.find(where);
    if (found == others.end()) continue;
    double least = std::numeric_limits<double>::infinity();
    std::pair<double, double> closest;
    for (const TrialRow* one : attempts) {
      for (const TrialRow* other : found->second) {
        const double factor = factor_between(one->outcome, other->outcome);
        if (factor >= least) continue;
        least = factor;
        closest = {cpu_of(*one), cpu_of(*other)};
      }
    }
    if (least > Gates().canary_ratio) continue;
    const Cell& cell = attempts.front()->cell;
    if (all.empty() || all.back().cell != cell) all.push_back({cell, {}});
    all.back().cpu_ns.push_back(closest);
  }
  return all;
}

}  // namespace muxlab
