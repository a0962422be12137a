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

/// What `name` calls each of `rows`, in their order and each once.
template <typename Rows, typename Name>
std::vector<std::string> names_in(const Rows& rows, Name name) {
  std::vector<std::string> names;
  for (const auto& row : rows) {
    std::string one = name(row);
    if (std::ranges::find(names, one) == names.end()) names.push_back(std::move(one));
  }
  return names;
}

/// A row per point, a column per verdict.
Table verdict_table(std::span<const Comparison> comparisons) {
  const std::string& usual = comparisons.front().baseline;
  const auto point_of_row = [&](const Comparison& comparison) {
    const std::string& baseline = comparison.baseline;
    return describe_point(comparison.cell) + (baseline == usual ? "" : ", against " + baseline);
  };
  std::map<TrialVerdict, std::map<std::string, std::string>> names;
  for (const Comparison& comparison : comparisons) {
    std::string& list = names[comparison.verdict][point_of_row(comparison)];
    list += (list.empty() ? "" : ", ") + ratio_words(comparison);
  }
  Table table;
  table.caption = fmt::format(
      "Server CPU per echo as a multiple of {}'s at the same point, with the interval of 95 %",
      usual);
  table.header = {"at"};
  for (const auto& [verdict, lists] : names) table.header.emplace_back(verdict_name(verdict));
  for (const std::string& point : names_in(comparisons, point_of_row)) {
    std::vector<std::string> row = {point};
    for (auto& [verdict, lists] : names) row.push_back(lists.contains(point) ? lists[point] : "-");
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string cost_words(const SummaryRow& row) {
  std::string words = spread_words(row.spread(Metric::server_cpu_ns_per_echo), 1e3, 2);
  if (row.is_measured() && row.trials < kRoundsToRank) words += " †";
  return words;
}

/// A row per backend, a column per point.
Table cost_table(std::span<const SummaryRow> summary) {
  Table table;
  table.caption = fmt::format(
      "Server CPU per echo in µs: the median of the trials (least to greatest); † of fewer than {} "
      "trials that nothing disturbed",
      kRoundsToRank);
  const std::vector<std::string> points =
      names_in(summary, [](const SummaryRow& row) { return describe_point(row.cell); });
  table.header = {"backend"};
  table.header.insert(table.header.end(), points.begin(), points.end());
  for (const std::string& backend :
       names_in(summary, [](const SummaryRow& row) { return row.cell.backend; })) {
    std::vector<std::string>& row = table.rows.emplace_back(std::vector{backend});
    for (const std::string& point : points) {
      const auto cell = std::ranges::find_if(summary, [&](const SummaryRow& one) {
        return one.cell.backend == backend && describe_point(one.cell) == point;
      });
      row.push_back(cell == summary.end() ? "-" : cost_words(*cell));
    }
  }
  return table;
}

std::string headline(std::span<const Comparison> comparisons) {
  if (comparisons.empty()) return "Nothing was measured that could be compared.";
  std::map<TrialVerdict, std::size_t> counts;
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
  const Report& report = source.report;
  Section section{"answer", "The answer", {Paragraph{headline(report.comparisons)}}};
  if (report.instrument.is_refuted()) {
    section.blocks.emplace_back(Paragraph{instrument_text(report.instrument), true});
  }
  if (!report.caution.empty()) section.blocks.emplace_back(Paragraph{report.caution + ".", true});
  if (!report.comparisons.empty()) section.blocks.emplace_back(verdict_table(report.comparisons));
  section.blocks.emplace_back(cost_table(report.summary));
  return section;
}

}  // namespace muxlab
