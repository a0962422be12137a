#include "bench/report/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "bench/cell_columns.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

struct Shown {
  std::string_view figure;
  const char* name;
  const char* unit_name;
  double unit;
  int decimals;
};

/// What the gnuplot file of a name shows: the first is what it is about.
struct PictureKind {
  std::string_view script;
  const char* title;
  std::vector<Shown> shown;
};

const PictureKind& kind_of(std::string_view script) {
  static const std::array kinds = {
      PictureKind{"cpu",
                  "Server CPU per echo",
                  {{"server_cpu_ns_per_echo", "server CPU per echo", "µs", 1e3, 2}}},
      PictureKind{"throughput",
                  "Echo throughput",
                  {{"echoes_per_s", "echoes per second", "thousand", 1e3, 1}}},
      PictureKind{
          "latency",
          "Echo latency",
          {{"latency_ns_p50", "p50", "ms", 1e6, 3}, {"latency_ns_p99", "p99", "ms", 1e6, 3}}},
      PictureKind{"spectrum",
                  "Spectrum of the latency",
                  {{"latency_ns_p99_9", "p99.9", "ms", 1e6, 3},
                   {"latency_ns_p25", "p25", "ms", 1e6, 3},
                   {"latency_ns_p50", "p50", "ms", 1e6, 3},
                   {"latency_ns_p75", "p75", "ms", 1e6, 3},
                   {"latency_ns_p90", "p90", "ms", 1e6, 3},
                   {"latency_ns_p95", "p95", "ms", 1e6, 3},
                   {"latency_ns_p99", "p99", "ms", 1e6, 3},
                   {"latency_ns_p99_99", "p99.99", "ms", 1e6, 3}}},
      PictureKind{"calls",
                  "System calls per echo",
                  {{"syscalls_per_echo", "counted", "calls", 1, 2},
                   {"syscalls_predicted_per_echo", "predicted", "calls", 1, 2}}},
      PictureKind{"cost",
                  "What the CPU time of an echo goes into",
                  {{"server_cpu_ns_per_echo", "in all", "µs", 1e3, 2},
                   {"cpu_wait_ns_per_echo", "waiting", "µs", 1e3, 2},
                   {"cpu_read_ns_per_echo", "reading", "µs", 1e3, 2},
                   {"cpu_write_ns_per_echo", "writing", "µs", 1e3, 2},
                   {"cpu_ctl_ns_per_echo", "control", "µs", 1e3, 2},
                   {"cpu_rest_ns_per_echo", "the rest", "µs", 1e3, 2},
                   {"cpu_clock_ns_per_echo", "clocks", "µs", 1e3, 2},
                   {"syscalls_per_echo", "counted", "calls", 1, 2},
                   {"syscalls_predicted_per_echo", "predicted", "calls", 1, 2}}},
      PictureKind{
          "first-echo",
          "Time from connect to the first echo",
          {{"first_echo_ns_p99", "p99", "ms", 1e6, 3}, {"first_echo_ns_p50", "p50", "ms", 1e6, 3}}},
      PictureKind{"connections",
                  "Connections opened and served",
                  {{"connections_per_s", "connections per second", "thousand", 1e3, 2}}},
      PictureKind{
          "fairness", "Fairness to the connections", {{"fairness", "Jain's index", "of 1", 1, 4}}},
      PictureKind{"memory",
                  "Memory per connection",
                  {{"server_bytes_per_connection", "server", "bytes", 1, 0},
                   {"kernel_bytes_per_connection", "kernel, of both ends", "bytes", 1, 0}}}};
  const auto found = std::ranges::find(kinds, script, &PictureKind::script);
  return found == kinds.end() ? kinds.front() : *found;
}

/// "5.21 (4.98 to 6.03)": the median, and in brackets the least and the greatest; "-" for nothing.
std::string spread_words(const std::optional<Spread>& spread, double unit, int decimals) {
  if (!spread) return "-";
  const auto shown = [&](double value) {
    return decimals == 0 ? in_groups(value / unit) : fmt::format("{:.{}f}", value / unit, decimals);
  };
  return fmt::format("{} ({} to {})", shown(spread->median), shown(spread->min),
                     shown(spread->max));
}

/// Empty where it is not a column.
std::string axis_words(const std::string& axis) {
  if (axis == "threads") return "server threads";
  if (axis == "idle") return "idle connections";
  if (axis == "size_bytes") return "message size";
  if (axis == "depth") return "messages in flight";
  if (axis == "rate_per_s") return "messages offered per second";
  if (axis == "churn") return "echoes of each connection";
  if (axis == "threading") return "threading model";
  if (axis == "notify") return "what wakes the thread";
  if (axis == "backend" || axis == "percentile") return "";
  return axis;
}

/// What a condition says, unless it is what is usual.
std::string condition_words(const std::string& column, const std::string& value) {
  const std::uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
  if (column == "threads") return ", " + counted(number, "server thread");
  if (column == "connections") return fmt::format(", {} connections", cli::show_count(number));
  if (column == "idle" && number > 0) return fmt::format(", {} idle", cli::show_count(number));
  if (column == "size_bytes" && number != Cell().size_bytes) return fmt::format(", {} B", number);
  if (column == "rate_per_s" && number > 0) return fmt::format(", {}/s", cli::show_count(number));
  if (column == "churn" && number > 0) return fmt::format(", {} echoes each", number);
  const bool is_word = column == "threading" || column == "engine" || column == "notify";
  return is_word ? fmt::format(", {} {}", column, value) : "";
}

std::string title_of(const Plot& plot) {
  std::string title = kind_of(plot.script).title;
  const std::string axis = axis_words(plot.axis);
  if (!axis.empty()) title += " against " + axis;
  for (const auto& [column, value] : plot.conditions) title += condition_words(column, value);
  return title;
}

std::uint64_t number_on(const std::string& axis, const SummaryRow& row) {
  return std::strtoull(place_on(axis, row).c_str(), nullptr, 10);
}

std::vector<SummaryRow> slice_of(const Plot& plot, std::span<const SummaryRow> summary) {
  std::vector<SummaryRow> rows;
  std::ranges::copy_if(summary, std::back_inserter(rows),
                       [&](const SummaryRow& row) { return plot.shows(row); });
  if (is_number(plot.axis)) {
    std::ranges::stable_sort(rows, {},
                             [&](const SummaryRow& row) { return number_on(plot.axis, row); });
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
  if (!is_number(axis)) return fmt::format("At {}: ", place);
  return fmt::format("At {}: ", cli::show_count(std::strtoull(place.c_str(), nullptr, 10)));
}

/// Which backend has the least and which the most at the places that are worth it.
std::string description_of(const Plot& plot, std::span<const SummaryRow> rows) {
  const Shown& shown = kind_of(plot.script).shown.front();
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
        median(least) / shown.unit, shown.decimals, shown.unit_name, least.cell.backend,
        median(most) / shown.unit, shown.decimals, shown.unit_name, most.cell.backend);
  }
  return text;
}

Table data_of(const Plot& plot, std::span<const SummaryRow> rows) {
  Table table{"Data of this picture: median (least to greatest)", {"backend"}, {}, true};
  const std::string axis = axis_words(plot.axis);
  if (!axis.empty()) table.header.push_back(axis);
  const PictureKind& kind = kind_of(plot.script);
  for (const Shown& shown : kind.shown) {
    table.header.push_back(fmt::format("{} ({})", shown.name, shown.unit_name));
  }
  table.header.emplace_back("rigs");
  for (const SummaryRow& row : rows) {
    std::vector<std::string> fields = {row.cell.backend};
    if (!axis.empty()) fields.push_back(place_on(plot.axis, row));
    for (const Shown& shown : kind.shown) {
      fields.push_back(spread_words(row.spread(shown.figure), shown.unit, shown.decimals));
    }
    fields.push_back(fmt::to_string(row.rigs));
    table.rows.push_back(std::move(fields));
  }
  return table;
}

}  // namespace

std::vector<Gallery> draw_pictures(const std::filesystem::path& folder,
                                   std::span<const SummaryRow> rows, const PlotFrame& frame) {
  std::vector<Gallery> galleries;
  std::string script;  // of the last gallery
  for (const Plot& plot : plots_of(rows)) {
    if (plot.script != script || galleries.empty()) galleries.emplace_back();
    script = plot.script;
    const std::vector<SummaryRow> shown = slice_of(plot, rows);
    galleries.back().pictures.push_back({plot.name, title_of(plot), description_of(plot, shown),
                                         draw_plot(folder, plot, frame), data_of(plot, shown),
                                         summary_csv(shown)});
  }
  return galleries;
}

}  // namespace muxlab
