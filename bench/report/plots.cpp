#include "bench/report/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "bench/cell_columns.hpp"
#include "bench/experiment.hpp"

namespace muxlab {
namespace {

/// A gnuplot file and what it shows; without a value it is not drawn, as it would be empty.
struct Script {
  std::string_view name;
  std::string_view figure;
  Layout layout = Layout::curves;
  bool is_for_all = false;  ///< drawn wherever it is measured, for an experiment that is rarely
};
constexpr std::array kScripts = {
    Script{"throughput", "echoes_per_s"},
    Script{"latency", "latency_ns_p99"},
    Script{"cpu", "server_cpu_ns_per_echo"},
    Script{"calls", "syscalls_per_echo"},
    Script{"fairness", "fairness"},
    Script{"spectrum", "latency_ns_p99_99", Layout::percentiles},
    Script{"connections", "connections_per_s", Layout::curves, true},
    Script{"first-echo", "first_echo_ns_p99", Layout::curves, true},
    Script{"cost", "cpu_rest_ns_per_echo", Layout::bars, true},
    Script{"memory", "server_bytes_per_connection", Layout::bars}};

/// What can be an axis, and what can only tell pictures apart.
constexpr std::array<std::string_view, 7> kNumbers = {
    "connections", "threads", "idle", "size_bytes", "depth", "rate_per_s", "churn"};
constexpr std::array<std::string_view, 3> kWords = {"threading", "engine", "notify"};

/// Those that `experiment` names, in that order, and those for all.
std::vector<Script> scripts_for(const std::string& experiment) {
  const auto named = std::ranges::find(experiments(), experiment, &Experiment::name);
  const Experiment pictured = named == experiments().end() ? Experiment() : *named;
  std::vector<Script> scripts;
  for (const std::string_view name : pictured.pictures) {
    scripts.push_back(*std::ranges::find(kScripts, name, &Script::name));
  }
  for (const Script& script : kScripts) {
    const bool is_there = std::ranges::count(scripts, script.name, &Script::name) > 0;
    if (script.is_for_all && !is_there) scripts.push_back(script);
  }
  return scripts;
}

std::string axis_for(const std::string& experiment) {
  const auto named = std::ranges::find(experiments(), experiment, &Experiment::name);
  return named == experiments().end() ? "" : std::string(named->axis);
}

std::string field_of(std::string_view column, const SummaryRow& row) {
  const std::vector<std::string> names = cell_header();
  const auto place = std::ranges::find(names, column) - names.begin();
  return cell_fields(row.cell)[static_cast<std::size_t>(place)];
}

struct Column {
  std::string name;
  std::vector<std::string> fields;  ///< of each row that is measured
  std::vector<std::string> values;  ///< each once

  [[nodiscard]] bool varies() const { return values.size() > 1; }
  /// Whether what it holds says what `other` holds.
  [[nodiscard]] bool determines(const Column& other) const {
    std::map<std::string_view, std::string_view> found;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (found.try_emplace(fields[i], other.fields[i]).first->second != other.fields[i]) {
        return false;
      }
    }
    return varies();
  }
};

Column column_of(std::string_view name, std::span<const SummaryRow> rows) {
  Column column{std::string(name), {}, {}};
  for (const SummaryRow& row : rows) {
    if (!row.is_measured()) continue;
    column.fields.push_back(field_of(name, row));
    if (std::ranges::find(column.values, column.fields.back()) == column.values.end()) {
      column.values.push_back(column.fields.back());
    }
  }
  return column;
}

/// Whether one that stands before it, or the axis, says as much: so that it is no condition.
bool is_implied(const Column& column, const std::string& axis, std::span<const Column> columns) {
  return column.varies() && std::ranges::any_of(columns, [&](const Column& other) {
           if (&other == &column || !other.determines(column)) return false;
           return other.name == axis || !column.determines(other) || &other < &column;
         });
}

/// Every combination of values of the columns other than `axis`.
std::vector<Plot> slices_along(const std::string& axis, std::span<const Column> columns) {
  const bool is_column = std::ranges::count(columns, axis, &Column::name) > 0;
  std::vector<Plot> slices = {{"", axis, {}, is_column ? "-vs-" + axis : std::string()}};
  for (const Column& column : columns) {
    if (column.name == axis || is_implied(column, axis, columns)) continue;
    if (!is_number(column.name) && !column.varies()) continue;
    const bool is_named =
        column.varies() || column.name == "connections" || column.name == "threads";
    std::vector<Plot> finer;
    for (const Plot& slice : slices) {
      for (const std::string& value : column.values) {
        finer.push_back(slice);
        finer.back().conditions.emplace_back(column.name, value);
        if (is_named) finer.back().name += fmt::format("-{}-{}", column.name, value);
      }
    }
    slices = std::move(finer);
  }
  return slices;
}

/// What curves go along: `wanted` if that varies, else each column of numbers that does.
std::vector<std::string> axes_of(std::span<const Column> columns, const std::string& wanted) {
  const auto is_wanted = [&](const Column& column) {
    return column.name == wanted && column.varies();
  };
  if (std::ranges::any_of(columns, is_wanted)) return {wanted};
  const std::span<const Column> numbers = columns.first(kNumbers.size());
  const bool has_axis = std::ranges::any_of(numbers, &Column::varies);
  std::vector<std::string> axes;
  for (const Column& column : numbers) {
    if (!column.varies() && (has_axis || column.name != "connections")) continue;
    if (!is_implied(column, "", numbers)) axes.push_back(column.name);
  }
  return axes;
}

}  // namespace

bool Plot::shows(const SummaryRow& row) const {
  return row.is_measured() && std::ranges::all_of(conditions, [&](const auto& condition) {
           return field_of(condition.first, row) == condition.second;
         });
}

std::string place_on(const std::string& axis, const SummaryRow& row) {
  const bool is_column = is_number(axis) || std::ranges::count(kWords, axis) > 0;
  return is_column ? field_of(axis, row) : "";
}

bool is_number(const std::string& axis) { return std::ranges::count(kNumbers, axis) > 0; }

std::vector<Plot> plots_of(std::span<const SummaryRow> rows) {
  if (rows.empty()) return {};
  std::vector<Column> columns;
  columns.reserve(kNumbers.size() + kWords.size());
  for (const std::string_view name : kNumbers) columns.push_back(column_of(name, rows));
  for (const std::string_view name : kWords) columns.push_back(column_of(name, rows));
  const std::string& experiment = rows.front().experiment;
  const std::map<Layout, std::vector<std::string>> axes = {
      {Layout::curves, axes_of(columns, axis_for(experiment))},
      {Layout::bars, {"backend"}},
      {Layout::percentiles, {"percentile"}}};
  std::vector<Plot> plots;
  for (const Script& script : scripts_for(experiment)) {
    for (const std::string& axis : axes.at(script.layout)) {
      for (Plot& plot : slices_along(axis, columns)) {
        const auto is_shown = [&](const SummaryRow& row) {
          return plot.shows(row) && row.spread(script.figure);
        };
        if (std::ranges::none_of(rows, is_shown)) continue;
        plot.script = script.name;
        plot.name.insert(0, script.name);
        plots.push_back(std::move(plot));
      }
    }
  }
  return plots;
}

}  // namespace muxlab
