#include "bench/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string_view>

#include "bench/cell_columns.hpp"

namespace muxlab {
namespace {

/// What each kind of picture shows; without a value it is not drawn, as it would be empty.
struct Script {
  const char* name;
  Metric metric;
};
constexpr std::array kScripts = {Script{"throughput", Metric::echoes_per_s},
                                 Script{"latency", Metric::latency_ns_p99},
                                 Script{"cpu", Metric::server_cpu_ns_per_echo}};

/// What can be an axis, and what can only tell pictures apart.
constexpr std::array kNumbers = {"connections", "threads",    "idle", "size_bytes",
                                 "depth",       "rate_per_s", "churn"};
constexpr std::array kWords = {"threading", "engine", "notify"};

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

Column column_of(const char* name, std::span<const SummaryRow> rows) {
  Column column{name, {}, {}};
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
  std::vector<Plot> slices = {{"", axis, {}, "-vs-" + axis}};
  for (const Column& column : columns) {
    const bool is_word = std::ranges::find(kWords, column.name) != kWords.end();
    if (column.name == axis || is_implied(column, axis, columns)) continue;
    if (is_word && !column.varies()) continue;
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

}  // namespace

bool Plot::shows(const SummaryRow& row) const {
  return row.is_measured() && std::ranges::all_of(conditions, [&](const auto& condition) {
           return field_of(condition.first, row) == condition.second;
         });
}

std::uint64_t place_on(const std::string& axis, const SummaryRow& row) {
  return std::strtoull(field_of(axis, row).c_str(), nullptr, 10);
}

std::vector<Plot> plots_of(std::span<const SummaryRow> rows) {
  std::vector<Column> columns;
  columns.reserve(kNumbers.size() + kWords.size());
  for (const char* name : kNumbers) columns.push_back(column_of(name, rows));
  for (const char* name : kWords) columns.push_back(column_of(name, rows));
  const std::span<const Column> numbers = std::span(columns).first(kNumbers.size());
  const bool has_axis = std::ranges::any_of(numbers, &Column::varies);
  std::vector<Plot> plots;
  for (const Column& column : numbers) {
    const std::string& axis = column.name;
    if (!column.varies() && (has_axis || axis != "connections")) continue;
    if (is_implied(column, "", numbers)) continue;
    for (const Plot& slice : slices_along(axis, columns)) {
      for (const auto& [script, metric] : kScripts) {
        const auto is_shown = [&, metric = metric](const SummaryRow& row) {
          return slice.shows(row) && row.spread(metric);
        };
        if (std::ranges::none_of(rows, is_shown)) continue;
        plots.push_back(slice);
        plots.back().script = script;
        plots.back().name.insert(0, script);
      }
    }
  }
  return plots;
}

}  // namespace muxlab
