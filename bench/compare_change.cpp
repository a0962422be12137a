#include "bench/compare_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "bench/gates.hpp"

namespace muxlab {
namespace {

constexpr std::array kCompared = {Metric::server_cpu_ns_per_echo, Metric::syscalls_per_echo,
                                  Metric::echoes_per_s};

using Trials = std::vector<const TrialRow*>;

struct PointTrials {
  MeasuredPoint point;
  Trials trials;  ///< that are ok
};

std::vector<PointTrials> group_by_point(std::span<const TrialRow> trials,
                                        std::span<const std::string> backends) {
  const auto place = [&](const TrialRow& trial) {
    const auto of_backend = std::ranges::find(backends, trial.cell.backend) - backends.begin();
    return std::tuple(trial.experiment, point_of(trial.cell), of_backend, trial.cell.backend);
  };
  std::map<decltype(place(trials.front())), PointTrials> points;
  for (const TrialRow& trial : trials) {
    if (trial.outcome.status != TrialStatus::ok) continue;
    PointTrials& one = points[place(trial)];
    one.point = {trial.experiment, trial.cell};
    one.trials.push_back(&trial);
  }
  std::vector<PointTrials> in_order;
  in_order.reserve(points.size());
  for (auto& [key, point] : points) in_order.push_back(std::move(point));
  return in_order;
}

std::vector<double> values_of(const Trials& trials, Metric metric) {
  std::vector<double> values;
  for (const TrialRow* trial : trials) values.push_back(trial->outcome.metrics[metric]);
  return values;
}

/// Whether most of them tell how fast the server is.
bool is_rate_of_server(const Trials& trials) {
  const auto tell = std::ranges::count_if(trials, [](const TrialRow* trial) {
    const Limiter limiter = limiter_of(trial->cell, trial->outcome.metrics);
    return limiter == Limiter::server || limiter == Limiter::latency;
  });
  return 2 * static_cast<std::size_t>(tell) > trials.size();
}

/// Why `metric` cannot be compared; empty when it can.
std::string obstacle(Metric metric, const Trials& before, const Trials& after) {
  if (before.size() < kFewestPairs || after.size() < kFewestPairs) {
    return fmt::format("{} and {} trials, and it takes {} of each", before.size(), after.size(),
                       kFewestPairs);
  }
  const bool is_rate = metric == Metric::echoes_per_s;
  if (is_rate && (!is_rate_of_server(before) || !is_rate_of_server(after))) {
    return "the rate may be the client's and not the server's";
  }
  return {};
}

/// How many times worse `after` is.
double worsening(Metric metric, double ratio) {
  return metric == Metric::echoes_per_s ? 1 / ratio : ratio;
}

ChangeVerdict judge(const Change& change, double threshold) {
  const auto is_beyond = [&](double worse) { return worse > 1 + threshold; };
  const double worse = worsening(change.metric, change.ratio.ratio);
  if (change.p_of_all <= kSignificant && is_beyond(worse)) return ChangeVerdict::regressed;
  if (change.p_of_all <= kSignificant && is_beyond(1 / worse)) return ChangeVerdict::improved;
  const Interval& interval = change.ratio.interval;
  if (!is_beyond(interval.high) && !is_beyond(1 / interval.low)) return ChangeVerdict::same;
  return ChangeVerdict::cannot_tell;
}

void look_for_changes(const PointTrials& before, const Trials& after, Changes& found) {
  for (const Metric metric : kCompared) {
    std::string reason = obstacle(metric, before.trials, after);
    const auto ratio = unpaired_ratio(values_of(before.trials, metric), values_of(after, metric));
    if (reason.empty() && !ratio) reason = "it was not measured";
    if (reason.empty()) {
      found.changes.push_back({before.point, metric, *ratio});
    } else {
      found.not_compared.push_back({before.point, metric, std::move(reason)});
    }
  }
}

}  // namespace

Changes find_changes(std::span<const TrialRow> before, std::span<const TrialRow> after,
                     std::span<const std::string> backends, double threshold) {
  Changes found;
  const std::vector<PointTrials> later = group_by_point(after, backends);
  found.only_after = later.size();
  for (const PointTrials& earlier : group_by_point(before, backends)) {
    const auto same = std::ranges::find(later, earlier.point, &PointTrials::point);
    if (same == later.end()) {
      ++found.only_before;
      continue;
    }
    --found.only_after;
    look_for_changes(earlier, same->trials, found);
  }
  std::vector<double> alone;
  for (const Change& change : found.changes) alone.push_back(change.ratio.p);
  const std::vector<double> corrected = corrected_for_many(alone);
  for (std::size_t i = 0; i < found.changes.size(); ++i) {
    found.changes[i].p_of_all = corrected[i];
    found.changes[i].verdict = judge(found.changes[i], threshold);
  }
  return found;
}

std::string_view change_verdict_name(ChangeVerdict verdict) {
  constexpr std::array<std::string_view, 4> kVerdicts = {"regressed", "improved", "same",
                                                         "cannot tell"};
  return kVerdicts[static_cast<std::size_t>(verdict)];
}

}  // namespace muxlab
