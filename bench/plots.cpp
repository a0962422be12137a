#include "bench/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

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

using Column = std::pair<std::string, std::set<std::uint64_t>>;

/// What can be an axis, and the values that were measured of it.
std::vector<Column> columns_of(std::span<const SummaryRow> rows) {
  std::vector<Column> columns = {{"connections", {}}, {"threads", {}}, {"idle", {}},
                                 {"size_bytes", {}},  {"depth", {}},   {"rate_per_s", {}}};
  for (auto& [column, values] : columns) {
    for (const SummaryRow& row : rows) {
      if (row.is_measured()) values.insert(place_on(column, row));
    }
  }
  return columns;
}

/// Every combination of values of the columns other than `axis`.
std::vector<Plot> slices_along(const std::string& axis, std::span<const Column> columns) {
  std::vector<Plot> slices = {{"", axis, {}, "-vs-" + axis}};
  for (const auto& [column, values] : columns) {
    if (column == axis) continue;
    const bool is_named =
        values.size() > 1 || (column == "connections" && axis != column) || column == "threads";
    std::vector<Plot> finer;
    for (const Plot& slice : slices) {
      for (const std::uint64_t value : values) {
        finer.push_back(slice);
        finer.back().conditions.emplace_back(column, value);
        if (is_named) finer.back().name += fmt::format("-{}-{}", column, value);
      }
    }
    slices = std::move(finer);
  }
  return slices;
}

}  // namespace

bool Plot::shows(const SummaryRow& row) const {
  return row.is_measured() && std::ranges::all_of(conditions, [&](const auto& condition) {
           return place_on(condition.first, row) == condition.second;
         });
}

std::uint64_t place_on(const std::string& axis, const SummaryRow& row) {
  if (axis == "threads") return row.cell.threads;
  if (axis == "idle") return row.cell.idle;
  if (axis == "size_bytes") return row.cell.size_bytes;
  if (axis == "depth") return row.cell.depth;
  if (axis == "rate_per_s") return row.cell.rate_per_s;
  return row.cell.connections;
}

std::vector<Plot> plots_of(std::span<const SummaryRow> rows) {
  const std::vector<Column> columns = columns_of(rows);
  const bool has_axis =
      std::ranges::any_of(columns, [](const Column& column) { return column.second.size() > 1; });
  std::vector<Plot> plots;
  for (const auto& [axis, values] : columns) {
    if (values.size() < 2 && (has_axis || axis != "connections")) continue;
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
