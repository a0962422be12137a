#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "bench/campaign_files.hpp"
#include "bench/report_content.hpp"
#include "bench/report_words.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

struct Shown {
  Metric metric;
  const char* name;
  const char* unit_name;
  double unit;
  int decimals;
};

/// What the gnuplot file of a name shows.
struct PictureKind {
  std::string_view script;
  const char* title;
  std::vector<Shown> shown;
};

const PictureKind& kind_of(std::string_view script) {
  static const std::array kinds = {
      PictureKind{"cpu",
                  "Server CPU per echo",
                  {{Metric::server_cpu_ns_per_echo, "server CPU per echo", "µs", 1e3, 2}}},
      PictureKind{"throughput",
                  "Echo throughput",
                  {{Metric::echoes_per_s, "echoes per second", "thousand", 1e3, 1}}},
      PictureKind{"latency",
                  "Echo latency",
                  {{Metric::latency_ns_p50, "p50", "ms", 1e6, 3},
                   {Metric::latency_ns_p99, "p99", "ms", 1e6, 3}}}};
  const auto found = std::ranges::find(kinds, script, &PictureKind::script);
  return found == kinds.end() ? kinds.front() : *found;
}

std::string axis_words(const std::string& axis) {
  if (axis == "threads") return "server threads";
  if (axis == "idle") return "idle connections";
  if (axis == "size_bytes") return "message size";
  if (axis == "depth") return "messages in flight";
  if (axis == "rate_per_s") return "messages offered per second";
  if (axis == "churn") return "echoes of each connection";
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
  std::string title =
      fmt::format("{} against {}", kind_of(plot.script).title, axis_words(plot.axis));
  for (const auto& [column, value] : plot.conditions) title += condition_words(column, value);
  return title;
}

std::vector<SummaryRow> slice_of(const Plot& plot, std::span<const SummaryRow> summary) {
  std::vector<SummaryRow> rows;
  std::ranges::copy_if(summary, std::back_inserter(rows),
                       [&](const SummaryRow& row) { return plot.shows(row); });
  std::ranges::stable_sort(rows, {},
                           [&](const SummaryRow& row) { return place_on(plot.axis, row); });
  return rows;
}

/// Which backend has the least and which the most at each end of the axis.
std::string description_of(const Plot& plot, std::span<const SummaryRow> rows) {
  const Shown& shown = kind_of(plot.script).shown.front();
  const auto median = [&](const SummaryRow& row) {
    const auto& spread = row.spread(shown.metric);
    return spread ? spread->median : std::numeric_limits<double>::quiet_NaN();
  };
  std::string text = fmt::format("{}. Medians, bars from least to greatest.", title_of(plot));
  std::vector<std::uint64_t> ends = {place_on(plot.axis, rows.front()),
                                     place_on(plot.axis, rows.back())};
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  for (const std::uint64_t end : ends) {
    std::vector<const SummaryRow*> there;
    for (const SummaryRow& row : rows) {
      if (place_on(plot.axis, row) == end && median(row) >= 0) there.push_back(&row);
    }
    if (there.empty()) continue;
    const auto by_median = [&](const SummaryRow* row) { return median(*row); };
    const SummaryRow& least = **std::ranges::min_element(there, {}, by_median);
    const SummaryRow& most = **std::ranges::max_element(there, {}, by_median);
    text += fmt::format(" At {}: {} from {:.{}f} {} ({}) to {:.{}f} {} ({}).", cli::show_count(end),
                        shown.name, median(least) / shown.unit, shown.decimals, shown.unit_name,
                        least.cell.backend, median(most) / shown.unit, shown.decimals,
                        shown.unit_name, most.cell.backend);
  }
  return text;
}

Table data_of(const Plot& plot, std::span<const SummaryRow> rows) {
  Table table{"Data of this picture: median (least to greatest)",
              {"backend", axis_words(plot.axis)},
              {},
              true};
  const PictureKind& kind = kind_of(plot.script);
  for (const Shown& shown : kind.shown) {
    table.header.push_back(fmt::format("{} ({})", shown.name, shown.unit_name));
  }
  table.header.emplace_back("trials");
  for (const SummaryRow& row : rows) {
    std::vector<std::string> fields = {row.cell.backend, fmt::to_string(place_on(plot.axis, row))};
    for (const Shown& shown : kind.shown) {
      fields.push_back(spread_words(row.spread(shown.metric), shown.unit, shown.decimals));
    }
    fields.push_back(fmt::to_string(row.trials));
    table.rows.push_back(std::move(fields));
  }
  return table;
}

Picture picture_of(const Plot& plot, const ReportSource& source) {
  const std::vector<SummaryRow> rows = slice_of(plot, source.report.summary);
  return {plot.name,
          title_of(plot),
          description_of(plot, rows),
          read_whole(source.folder / "plots" / (plot.name + ".svg")),
          data_of(plot, rows),
          summary_csv(rows)};
}

}  // namespace

Section pictures_section(const ReportSource& source) {
  Section section{"pictures", "What there is to see", {}};
  std::vector<std::string> scripts = {"cpu"};  // first: what is steadiest
  for (const Plot& plot : source.report.plots) {
    if (std::ranges::find(scripts, plot.script) == scripts.end()) scripts.push_back(plot.script);
  }
  for (const std::string& script : scripts) {
    Gallery gallery;
    for (const Plot& plot : source.report.plots) {
      if (plot.script == script) gallery.pictures.push_back(picture_of(plot, source));
    }
    if (!gallery.pictures.empty()) section.blocks.emplace_back(std::move(gallery));
  }
  if (section.blocks.empty()) {
    section.blocks.emplace_back(Paragraph{"No trial was ok, so that there is nothing to draw."});
  }
  return section;
}

}  // namespace muxlab
