#include "bench/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>

#include "bench/cell_columns.hpp"

namespace muxlab {
namespace {

std::size_t place_of(const std::string& name, std::span<const std::string> names) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::uint64_t count(std::span<const TrialRow* const> trials, TrialStatus status) {
  return static_cast<std::uint64_t>(std::ranges::count(
      trials, status, [](const TrialRow* trial) { return trial->outcome.status; }));
}

Limiter usual_limiter(std::span<const TrialRow* const> trials) {
  std::map<Limiter, std::size_t> times;
  for (const TrialRow* trial : trials) ++times[limiter_of(trial->cell, trial->outcome.metrics)];
  const auto usual =
      std::ranges::max_element(times, {}, [](const auto& one) { return one.second; });
  return usual == times.end() ? Limiter::unknown : usual->first;
}

/// Those that the spreads are of.
std::vector<const TrialRow*> those_to_use(std::span<const TrialRow* const> trials) {
  const TrialStatus used =
      count(trials, TrialStatus::ok) > 0 ? TrialStatus::ok : TrialStatus::untrusted;
  std::vector<const TrialRow*> chosen;
  std::ranges::copy_if(trials, std::back_inserter(chosen),
                       [&](const TrialRow* trial) { return trial->outcome.status == used; });
  return chosen;
}

std::optional<Spread> spread_over(std::span<const TrialRow* const> trials, Metric metric) {
  std::vector<double> values;
  values.reserve(trials.size());
  for (const TrialRow* trial : trials) values.push_back(trial->outcome.metrics[metric]);
  return spread_of(std::move(values));
}

SummaryRow summarise_cell(std::span<const TrialRow* const> trials) {
  const TrialRow& first = *trials.front();
  SummaryRow row;
  row.experiment = first.experiment;
  row.cell = first.cell;
  row.trials = count(trials, TrialStatus::ok);
  row.failed = count(trials, TrialStatus::failed);
  row.unsupported = count(trials, TrialStatus::unsupported);
  row.untrusted = count(trials, TrialStatus::untrusted);
  const std::vector<const TrialRow*> measured = those_to_use(trials);
  row.limiter = usual_limiter(measured);
  for (std::size_t i = 0; i < kTrialMetrics; ++i) row.spreads[i] = spread_over(measured, Metric{i});
  if (row.limiter == Limiter::client) {
    row.spreads[static_cast<std::size_t>(Metric::echoes_per_s)].reset();
  }
  return row;
}

struct Growth {
  Metric all;
  Metric per_connection;
};
constexpr std::array kGrowths = {
    Growth{Metric::server_resident_bytes, Metric::server_bytes_per_idle_connection},
    Growth{Metric::kernel_slab_bytes, Metric::kernel_bytes_per_idle_connection}};

/// What each idle connection takes: more than `without`, which is the same cell without them.
void add_growth(SummaryRow& row, const SummaryRow& without) {
  for (const auto& [all, per_connection] : kGrowths) {
    const std::optional<Spread>& with = row.spread(all);
    const std::optional<Spread>& base = without.spread(all);
    if (!with || !base) continue;
    const auto each = [&](double bytes) {
      return (bytes - base->median) / static_cast<double>(row.cell.idle);
    };
    Spread growth{each(with->median), each(with->min), each(with->max), std::nullopt};
    if (with->interval) growth.interval = {each(with->interval->low), each(with->interval->high)};
    row.spreads[static_cast<std::size_t>(per_connection)] = growth;
  }
}

void add_growth(std::span<SummaryRow> rows) {
  for (SummaryRow& row : rows) {
    if (row.cell.idle == 0) continue;
    Cell cell = row.cell;
    cell.idle = 0;
    const auto without = std::ranges::find(rows, cell, &SummaryRow::cell);
    if (without != rows.end()) add_growth(row, *without);
  }
}

}  // namespace

std::vector<SummaryRow> summarise(std::span<const TrialRow> trials,
                                  std::span<const std::string> backends) {
  const auto place = [&](const TrialRow& trial) {
    const std::string& backend = trial.cell.backend;
    return std::tuple(trial.experiment, point_of(trial.cell), place_of(backend, backends), backend);
  };
  std::map<decltype(place(trials.front())), std::vector<const TrialRow*>> cells;
  for (const TrialRow& trial : trials) cells[place(trial)].push_back(&trial);
  std::vector<SummaryRow> rows;
  rows.reserve(cells.size());
  for (const auto& [key, trials_of_cell] : cells) rows.push_back(summarise_cell(trials_of_cell));
  add_growth(rows);
  return rows;
}

TrialCount count_trials(std::span<const SummaryRow> rows) {
  std::vector<std::uint64_t> trials;
  for (const SummaryRow& row : rows) {
    if (row.is_measured()) trials.push_back(row.trials);
  }
  if (trials.empty()) return {};
  return {std::ranges::min(trials), std::ranges::max(trials)};
}

std::string summary_csv(std::span<const SummaryRow> rows) {
  std::vector<std::string> header = {"experiment"};
  const std::vector<std::string> cell = cell_header();
  header.insert(header.end(), cell.begin(), cell.end());
  header.insert(header.end(), {"trials", "failed", "unsupported", "untrusted", "limiter"});
  for (const std::string_view metric : kMetricNames) {
    for (const char* part : {"median", "min", "max", "low", "high"}) {
      header.push_back(fmt::format("{}_{}", metric, part));
    }
  }
  std::string text = csv_record(header);
  for (const SummaryRow& row : rows) {
    std::vector<std::string> record = {row.experiment};
    const std::vector<std::string> fields = cell_fields(row.cell);
    record.insert(record.end(), fields.begin(), fields.end());
    for (const std::uint64_t number : {row.trials, row.failed, row.unsupported, row.untrusted}) {
      record.push_back(fmt::to_string(number));
    }
    record.emplace_back(limiter_name(row.limiter));
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    for (const auto& spread : row.spreads) {
      const Spread shown = spread.value_or(Spread{kNone, kNone, kNone, std::nullopt});
      const Interval interval = shown.interval.value_or(Interval{kNone, kNone});
      for (const double value : {shown.median, shown.min, shown.max, interval.low, interval.high}) {
        record.push_back(number_field(value));
      }
    }
    text += csv_record(record);
  }
  return text;
}

}  // namespace muxlab
