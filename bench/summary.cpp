#include "bench/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace muxlab {
namespace {

std::size_t place_of(const std::string& name, std::span<const std::string> names) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

SummaryRow summarise_cell(std::span<const TrialRow* const> trials) {
  const TrialRow& first = *trials.front();
  SummaryRow row;
  row.experiment = first.experiment;
  row.cell = first.cell;
  row.size_bytes = first.size_bytes;
  row.depth = first.depth;
  for (const TrialRow* trial : trials) {
    row.trials += trial->outcome.status == TrialStatus::ok ? 1 : 0;
    row.failed += trial->outcome.status == TrialStatus::failed ? 1 : 0;
    row.unsupported += trial->outcome.status == TrialStatus::unsupported ? 1 : 0;
  }
  for (std::size_t i = 0; i < kMetricNames.size(); ++i) {
    std::vector<double> values;
    for (const TrialRow* trial : trials) {
      if (trial->outcome.status != TrialStatus::ok) continue;
      values.push_back(trial->outcome.metrics[Metric{i}]);
    }
    row.spreads[i] = spread_of(std::move(values));
  }
  return row;
}

}  // namespace

std::vector<SummaryRow> summarise(std::span<const TrialRow> trials,
                                  std::span<const std::string> backends) {
  const auto place = [&](const TrialRow& trial) {
    const Cell& cell = trial.cell;
    return std::tuple(trial.experiment, trial.size_bytes, trial.depth, cell.threads, cell.threading,
                      cell.idle, cell.connections, place_of(cell.backend, backends), cell.backend);
  };
  std::map<decltype(place(trials.front())), std::vector<const TrialRow*>> cells;
  for (const TrialRow& trial : trials) cells[place(trial)].push_back(&trial);
  std::vector<SummaryRow> rows;
  rows.reserve(cells.size());
  for (const auto& [key, trials_of_cell] : cells) rows.push_back(summarise_cell(trials_of_cell));
  return rows;
}

TrialCount count_trials(std::span<const SummaryRow> rows) {
  TrialCount count;
  for (const SummaryRow& row : rows) {
    if (row.trials == 0) continue;
    count.min = count.min == 0 ? row.trials : std::min(count.min, row.trials);
    count.max = std::max(count.max, row.trials);
  }
  return count;
}

std::string summary_csv(std::span<const SummaryRow> rows) {
  std::vector<std::string> header = {"experiment",  "backend", "threading",  "threads",
                                     "connections", "idle",    "size_bytes", "depth",
                                     "trials",      "failed",  "unsupported"};
  for (const std::string_view metric : kMetricNames) {
    for (const char* part : {"median", "min", "max"}) {
      header.push_back(fmt::format("{}_{}", metric, part));
    }
  }
  std::string text = csv_record(header);
  for (const SummaryRow& row : rows) {
    std::vector<std::string> record = {row.experiment,
                                       row.cell.backend,
                                       row.cell.threading,
                                       fmt::to_string(row.cell.threads),
                                       fmt::to_string(row.cell.connections),
                                       fmt::to_string(row.cell.idle),
                                       fmt::to_string(row.size_bytes),
                                       fmt::to_string(row.depth),
                                       fmt::to_string(row.trials),
                                       fmt::to_string(row.failed),
                                       fmt::to_string(row.unsupported)};
    for (const auto& spread : row.spreads) {
      const Spread shown = spread.value_or(Spread{std::nan(""), std::nan(""), std::nan("")});
      for (const double value : {shown.median, shown.min, shown.max}) {
        record.push_back(number_field(value));
      }
    }
    text += csv_record(record);
  }
  return text;
}

}  // namespace muxlab
