#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bench/cell_columns.hpp"
#include "bench/report_content.hpp"
#include "bench/report_words.hpp"

namespace muxlab {
namespace {

std::string ratio_words(const Comparison& comparison) {
  const PairedRatio& ratio = comparison.ratio;
  return fmt::format("{} ×{:.2f} ({:.2f} to {:.2f})", comparison.cell.backend, ratio.ratio,
                     ratio.interval.low, ratio.interval.high);
}

/// The points in the order of `rows`, each once.
template <typename Rows>
std::vector<std::string> points_in(const Rows& rows, auto words_of) {
  std::vector<std::string> points;
  for (const auto& row : rows) {
    std::string point = words_of(row);
    if (std::ranges::find(points, point) == points.end()) points.push_back(std::move(point));
  }
  return points;
}

/// A row per point, a column per verdict.
Table verdict_table(std::span<const Comparison> comparisons) {
  std::map<Verdict, std::map<std::string, std::string>> names;
  for (const Comparison& comparison : comparisons) {
    std::string& list = names[comparison.verdict][describe_point(comparison.cell)];
    list += (list.empty() ? "" : ", ") + ratio_words(comparison);
  }
  Table table;
  table.caption = fmt::format(
      "Server CPU per echo as a multiple of {}'s at the same point, with the interval of 95 %",
      comparisons.front().baseline);
  table.header = {"at"};
  for (const auto& [verdict, lists] : names) table.header.emplace_back(verdict_name(verdict));
  const auto words_of = [](const Comparison& one) { return describe_point(one.cell); };
  for (const std::string& point : points_in(comparisons, words_of)) {
    std::vector<std::string> row = {point};
    for (auto& [verdict, lists] : names) row.push_back(lists.contains(point) ? lists[point] : "-");
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// A row per backend, a column per point.
Table cost_table(std::span<const SummaryRow> summary) {
  Table table;
  table.caption = "Server CPU per echo in µs: the median of the trials (least to greatest)";
  table.header = {"backend"};
  const std::vector<std::string> points =
      points_in(summary, [](const SummaryRow& row) { return describe_point(row.cell); });
  table.header.insert(table.header.end(), points.begin(), points.end());
  for (const SummaryRow& first : summary) {
    const std::string& backend = first.cell.backend;
    if (std::ranges::find(table.rows, backend, [](const auto& row) { return row.front(); }) !=
        table.rows.end()) {
      continue;
    }
    std::vector<std::string> row = {backend};
    for (const std::string& point : points) {
      const auto cell = std::ranges::find_if(summary, [&](const SummaryRow& one) {
        return one.cell.backend == backend && describe_point(one.cell) == point;
      });
      row.push_back(cell == summary.end()
                        ? "-"
                        : spread_words(cell->spread(Metric::server_cpu_ns_per_echo), 1e3, 2));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string headline(std::span<const Comparison> comparisons) {
  if (comparisons.empty()) return "Nothing was measured that could be compared.";
  std::map<Verdict, std::size_t> counts;
  for (const Comparison& comparison : comparisons) ++counts[comparison.verdict];
  std::string words =
      fmt::format("Of {} comparisons with {}", comparisons.size(), comparisons.front().baseline);
  const char* joint = ": ";
  for (const auto& [verdict, count] : counts) {
    words += fmt::format("{}{} {}", joint, count, verdict_name(verdict));
    joint = ", ";
  }
  return words + ".";
}

}  // namespace

Section answer_section(const ReportSource& source) {
  Section section{"answer", "The answer", {Paragraph{headline(source.comparisons)}}};
  if (source.instrument.is_refuted()) {
    section.blocks.push_back(Paragraph{instrument_text(source.instrument), true});
  }
  if (!source.caution.empty()) section.blocks.push_back(Paragraph{source.caution + ".", true});
  if (!source.comparisons.empty()) section.blocks.push_back(verdict_table(source.comparisons));
  section.blocks.push_back(cost_table(source.summary));
  return section;
}

}  // namespace muxlab
