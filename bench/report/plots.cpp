#include "bench/report/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include "server/cli/cli.hpp"

namespace muxlab {

/// A gnuplot file and the figures that it shows, the main one first.
struct PictureKind {
  struct Unit {
    const char* name;
    double size;
    int decimals;
  };
  /// A column of the data of a picture.
  struct Shown {
    std::string_view script;  ///< of the picture
    std::string_view figure;
    const char* name;
    Unit unit;
  };

  /// The layout of a gnuplot file of scripts/plots: a curve per backend along a column, a bar per
  /// backend, or a curve per backend along the percentiles of its latency.
  enum class Layout { curves, bars, percentiles };

  std::string_view script;
  const char* title;
  std::string_view needs;  ///< a figure; without it the picture would be empty, and is not drawn
  Layout layout = Layout::curves;
  bool is_for_all = false;  ///< drawn wherever it is measured, for an experiment that is rarely

  [[nodiscard]] std::vector<Shown> shown() const;
};

namespace {

using Layout = PictureKind::Layout;
using Unit = PictureKind::Unit;
using Shown = PictureKind::Shown;
constexpr Unit kUs = {"µs", 1e3, 2};
constexpr Unit kMs = {"ms", 1e6, 3};
constexpr Unit kCalls = {"calls", 1, 2};
constexpr Unit kBytes = {"bytes", 1, 0};

constexpr std::array kPictureKinds = {
    PictureKind{"throughput", "Echo throughput", "echoes_per_s"},
    PictureKind{"latency", "Echo latency", "latency_ns_p99"},
    PictureKind{"cpu", "Server CPU per echo", "server_cpu_ns_per_echo"},
    PictureKind{"calls", "System calls per echo", "syscalls_per_echo"},
    PictureKind{"fairness", "Fairness to the connections", "fairness"},
    PictureKind{"spectrum", "Spectrum of the latency", "latency_ns_p99_99", Layout::percentiles},
    PictureKind{"connections", "Connections opened and served", "connections_per_s", Layout::curves,
                true},
    PictureKind{"first-echo", "Time from connect to the first echo", "first_echo_ns_p99",
                Layout::curves, true},
    PictureKind{"cost", "What the CPU time of an echo goes into", "cpu_rest_ns_per_echo",
                Layout::bars, true},
    PictureKind{"memory", "Memory per connection", "server_bytes_per_connection", Layout::bars}};

constexpr std::array kShown = {
    Shown{"throughput", "echoes_per_s", "echoes per second", {"thousand", 1e3, 1}},
    Shown{"latency", "latency_ns_p50", "p50", kMs},
    Shown{"latency", "latency_ns_p99", "p99", kMs},
    Shown{"cpu", "server_cpu_ns_per_echo", "server CPU per echo", kUs},
    Shown{"calls", "syscalls_per_echo", "counted", kCalls},
    Shown{"calls", "syscalls_predicted_per_echo", "predicted", kCalls},
    Shown{"fairness", "fairness", "Jain's index", {"of 1", 1, 4}},
    Shown{"spectrum", "latency_ns_p99_9", "p99.9", kMs},
    Shown{"spectrum", "latency_ns_p25", "p25", kMs},
    Shown{"spectrum", "latency_ns_p50", "p50", kMs},
    Shown{"spectrum", "latency_ns_p75", "p75", kMs},
    Shown{"spectrum", "latency_ns_p90", "p90", kMs},
    Shown{"spectrum", "latency_ns_p95", "p95", kMs},
    Shown{"spectrum", "latency_ns_p99", "p99", kMs},
    Shown{"spectrum", "latency_ns_p99_99", "p99.99", kMs},
    Shown{"connections", "connections_per_s", "connections per second", {"thousand", 1e3, 2}},
    Shown{"first-echo", "first_echo_ns_p99", "p99", kMs},
    Shown{"first-echo", "first_echo_ns_p50", "p50", kMs},
    Shown{"cost", "server_cpu_ns_per_echo", "in all", kUs},
    Shown{"cost", "cpu_wait_ns_per_echo", "waiting", kUs},
    Shown{"cost", "cpu_read_ns_per_echo", "reading", kUs},
    Shown{"cost", "cpu_write_ns_per_echo", "writing", kUs},
    Shown{"cost", "cpu_ctl_ns_per_echo", "control", kUs},
    Shown{"cost", "cpu_rest_ns_per_echo", "the rest", kUs},
    Shown{"cost", "cpu_clock_ns_per_echo", "clocks", kUs},
    Shown{"cost", "syscalls_per_echo", "counted", kCalls},
    Shown{"cost", "syscalls_predicted_per_echo", "predicted", kCalls},
    Shown{"memory", "server_bytes_per_connection", "server", kBytes},
    Shown{"memory", "kernel_bytes_per_connection", "kernel, of both ends", kBytes}};

/// A column that can be an axis, or only distinguishes pictures, and the words for both.
struct CellColumn {
  std::string_view name;
  bool is_number;
  const char* as_axis;
  const char* as_condition;  ///< {} is the value; empty: not said
  const char* usual = "";    ///< a value that is not said
  bool is_short = false;     ///< 10000 is said as 10k
};
constexpr std::array kCellColumns = {
    CellColumn{"connections", true, "connections", ", {} connections", "", true},
    CellColumn{"threads", true, "server threads", ", {} server threads"},
    CellColumn{"idle", true, "idle connections", ", {} idle", "0", true},
    CellColumn{"size_bytes", true, "message size", ", {} B", "64"},
    CellColumn{"depth", true, "messages in flight", ""},
    CellColumn{"rate_per_s", true, "messages offered per second", ", {}/s", "0", true},
    CellColumn{"churn", true, "echoes of each connection", ", {} echoes each", "0"},
    CellColumn{"threading", false, "threading model", ", threading {}"},
    CellColumn{"engine", false, "engine", ", engine {}"},
    CellColumn{"notify", false, "what wakes the thread", ", notify {}"}};

/// Nothing for "backend" and "percentile", the axes that are not columns of a cell.
const CellColumn* cell_column(std::string_view name) {
  const auto* const found = std::ranges::find(kCellColumns, name, &CellColumn::name);
  return found == kCellColumns.end() ? nullptr : found;
}

bool is_number(std::string_view axis) {
  const CellColumn* const column = cell_column(axis);
  return column != nullptr && column->is_number;
}

/// The kinds that `experiment` names, in that order, and those for all.
std::vector<const PictureKind*> kinds_for(const Experiment& experiment) {
  std::vector<const PictureKind*> kinds;
  for (const std::string_view name : experiment.pictures) {
    kinds.push_back(std::ranges::find(kPictureKinds, name, &PictureKind::script));
  }
  for (const PictureKind& kind : kPictureKinds) {
    if (kind.is_for_all && std::ranges::count(kinds, &kind) == 0) kinds.push_back(&kind);
  }
  return kinds;
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
  /// Returns whether the values of this column determine those of `other`.
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

/// Returns whether an earlier column or the axis determines this one, so that it is no condition.
bool is_implied(const Column& column, const std::string& axis, std::span<const Column> columns) {
  return column.varies() && std::ranges::any_of(columns, [&](const Column& other) {
           if (&other == &column || !other.determines(column)) return false;
           return other.name == axis || !column.determines(other) || &other < &column;
         });
}

/// Every combination of values of the columns other than `axis`.
std::vector<Plot> slices_along(const std::string& axis, std::span<const Column> columns) {
  const bool is_column = std::ranges::count(columns, axis, &Column::name) > 0;
  std::vector<Plot> slices = {{nullptr, "", axis, {}, is_column ? "-vs-" + axis : std::string()}};
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

/// Returns the axes of curves: `wanted` if it varies, else each column of numbers that varies.
std::vector<std::string> axes_of(std::span<const Column> columns, std::string_view wanted) {
  std::vector<Column> numbers;
  for (const Column& column : columns) {
    if (column.name == wanted && column.varies()) return {column.name};
    if (is_number(column.name)) numbers.push_back(column);
  }
  const bool has_axis = std::ranges::any_of(numbers, &Column::varies);
  std::vector<std::string> axes;
  for (const Column& column : numbers) {
    if (!column.varies() && (has_axis || column.name != "connections")) continue;
    if (!is_implied(column, "", numbers)) axes.push_back(column.name);
  }
  return axes;
}

/// "5.21 (4.98 to 6.03)": the median, and in brackets the least and the greatest; "-" for nothing.
std::string spread_words(const std::optional<Spread>& spread, const Unit& unit) {
  if (!spread) return "-";
  const auto shown = [&](double value) {
    return unit.decimals == 0 ? in_groups(value / unit.size)
                              : fmt::format("{:.{}f}", value / unit.size, unit.decimals);
  };
  return fmt::format("{} ({} to {})", shown(spread->median), shown(spread->min),
                     shown(spread->max));
}

std::uint64_t number_in(const std::string& field) {
  return std::strtoull(field.c_str(), nullptr, 10);
}

/// Returns the words for a condition; empty if its value is the usual one.
std::string condition_words(std::string_view name, const std::string& value) {
  const CellColumn& column = *cell_column(name);
  if (value == column.usual) return "";
  if (name == "threads" && value == "1") return ", 1 server thread";
  return fmt::format(fmt::runtime(column.as_condition),
                     column.is_short ? cli::show_count(number_in(value)) : value);
}

std::string title_of(const Plot& plot) {
  std::string title = plot.kind->title;
  const CellColumn* const axis = cell_column(plot.axis);
  if (axis != nullptr) title += fmt::format(" against {}", axis->as_axis);
  for (const auto& [column, value] : plot.conditions) title += condition_words(column, value);
  return title;
}

std::vector<SummaryRow> slice_of(const Plot& plot, std::span<const SummaryRow> summary) {
  std::vector<SummaryRow> rows;
  std::ranges::copy_if(summary, std::back_inserter(rows),
                       [&](const SummaryRow& row) { return plot.shows(row); });
  if (is_number(plot.axis)) {
    std::ranges::stable_sort(
        rows, {}, [&](const SummaryRow& row) { return number_in(place_on(plot.axis, row)); });
  }
  return rows;
}

/// The ends of an axis of numbers, or each place where they are words.
std::vector<std::string> places_to_tell(const Plot& plot, std::span<const SummaryRow> rows) {
  std::vector<std::string> places;
  for (const SummaryRow& row : rows) {
    std::string place = place_on(plot.axis, row);
    if (std::ranges::count(places, place) == 0) places.push_back(std::move(place));
  }
  if (is_number(plot.axis) && places.size() > 2) return {places.front(), places.back()};
  return places;
}

std::string place_words(const std::string& axis, const std::string& place) {
  if (place.empty()) return "";
  return fmt::format("At {}: ", is_number(axis) ? cli::show_count(number_in(place)) : place);
}

/// Says which backend has the least and which the most at the places of places_to_tell().
std::string description_of(const Plot& plot, std::span<const SummaryRow> rows) {
  const Shown shown = plot.kind->shown().front();
  const auto median = [&](const SummaryRow& row) {
    const auto& spread = row.spread(shown.figure);
    return spread ? spread->median : std::numeric_limits<double>::quiet_NaN();
  };
  std::string text =
      fmt::format("{}. Medians of the rigs, bars from the least to the greatest.", title_of(plot));
  for (const std::string& place : places_to_tell(plot, rows)) {
    std::vector<const SummaryRow*> there;
    for (const SummaryRow& row : rows) {
      if (place_on(plot.axis, row) == place && !std::isnan(median(row))) there.push_back(&row);
    }
    if (there.empty()) continue;
    const auto by_median = [&](const SummaryRow* row) { return median(*row); };
    const SummaryRow& least = **std::ranges::min_element(there, {}, by_median);
    const SummaryRow& most = **std::ranges::max_element(there, {}, by_median);
    text += fmt::format(
        " {}{} from {:.{}f} {} ({}) to {:.{}f} {} ({}).", place_words(plot.axis, place), shown.name,
        median(least) / shown.unit.size, shown.unit.decimals, shown.unit.name, least.cell.backend,
        median(most) / shown.unit.size, shown.unit.decimals, shown.unit.name, most.cell.backend);
  }
  return text;
}

Table data_of(const Plot& plot, std::span<const SummaryRow> rows) {
  Table table{"Data of this picture: median (least to greatest)", {"backend"}, {}, true};
  const CellColumn* const axis = cell_column(plot.axis);
  if (axis != nullptr) table.header.emplace_back(axis->as_axis);
  const std::vector<Shown> all_shown = plot.kind->shown();
  for (const Shown& shown : all_shown) {
    table.header.push_back(fmt::format("{} ({})", shown.name, shown.unit.name));
  }
  table.header.emplace_back("rigs");
  for (const SummaryRow& row : rows) {
    std::vector<std::string> fields = {row.cell.backend};
    if (axis != nullptr) fields.push_back(place_on(plot.axis, row));
    for (const Shown& shown : all_shown) {
      fields.push_back(spread_words(row.spread(shown.figure), shown.unit));
    }
    fields.push_back(fmt::to_string(row.rigs));
    table.rows.push_back(std::move(fields));
  }
  return table;
}

/// Returns whether a picture would show only one place of an axis, and others would show more.
bool is_one_place(const std::string& axis, const Plot& plot, std::span<const SummaryRow> rows) {
  std::set<std::string> here, all;
  for (const SummaryRow& row : rows) {
    all.insert(place_on(axis, row));
    if (plot.shows(row)) here.insert(place_on(axis, row));
  }
  return here.size() < 2 && all.size() > 1;
}

}  // namespace

std::vector<Shown> PictureKind::shown() const {
  std::vector<Shown> all;
  std::ranges::copy_if(kShown, std::back_inserter(all),
                       [this](const Shown& one) { return one.script == script; });
  return all;
}

bool Plot::shows(const SummaryRow& row) const {
  return row.is_measured() && std::ranges::all_of(conditions, [&](const auto& condition) {
           return field_of(condition.first, row) == condition.second;
         });
}

std::string place_on(const std::string& axis, const SummaryRow& row) {
  return cell_column(axis) == nullptr ? "" : field_of(axis, row);
}

std::vector<Plot> plots_of(std::span<const SummaryRow> rows) {
  // The loads of the default run lie along no axis: their picture is that of the ratios.
  if (rows.empty() || rows.front().experiment == "default") return {};
  std::vector<Column> columns;
  columns.reserve(kCellColumns.size());
  for (const CellColumn& column : kCellColumns) columns.push_back(column_of(column.name, rows));
  const auto named = std::ranges::find(experiments(), rows.front().experiment, &Experiment::name);
  const Experiment experiment = named == experiments().end() ? Experiment() : *named;
  const std::map<Layout, std::vector<std::string>> axes = {
      {Layout::curves, axes_of(columns, experiment.axis)},
      {Layout::bars, {"backend"}},
      {Layout::percentiles, {"percentile"}}};
  std::vector<Plot> plots;
  for (const PictureKind* kind : kinds_for(experiment)) {
    for (const std::string& axis : axes.at(kind->layout)) {
      for (Plot& plot : slices_along(axis, columns)) {
        const auto is_shown = [&](const SummaryRow& row) {
          return plot.shows(row) && row.spread(kind->needs);
        };
        if (std::ranges::none_of(rows, is_shown)) continue;
        if (kind->layout == Layout::curves && is_one_place(axis, plot, rows)) continue;
        plot.kind = kind;
        plot.script = kind->script;
        plot.name.insert(0, kind->script);
        plots.push_back(std::move(plot));
      }
    }
  }
  return plots;
}

std::vector<Gallery> draw_pictures(Gnuplot& gnuplot, std::span<const SummaryRow> rows,
                                   const PlotFrame& frame) {
  std::vector<Gallery> galleries;
  const PictureKind* kind = nullptr;  // of the last gallery
  for (const Plot& plot : plots_of(rows)) {
    std::string drawing = draw_plot(gnuplot, plot, frame);
    if (drawing.empty()) continue;
    if (plot.kind != kind) galleries.emplace_back();
    kind = plot.kind;
    const std::vector<SummaryRow> shown = slice_of(plot, rows);
    galleries.back().pictures.push_back({plot.name, title_of(plot), description_of(plot, shown),
                                         std::move(drawing), data_of(plot, shown),
                                         summary_csv(shown)});
  }
  return galleries;
}

}  // namespace muxlab
