#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/data/csv.hpp"
#include "bench/report/answer_files.hpp"
#include "bench/report/plots.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

/// An axis: at least from 0.7 to 1.5, and all intervals up to a factor of 30.
struct Axis {
  double low = 0.7;
  double high = 1.5;

  void include(const Finding& finding) {
    low = std::max(0.05, std::min(low, finding.low / 1.03));
    high = std::min(30.0, std::max(high, finding.high * 1.03));
  }
};

/// With spaces that do not end a word.
std::string without_spaces(const std::string& text) {
  std::string joined;
  for (const char c : text) joined += c == ' ' ? "\u00a0" : std::string(1, c);
  return joined;
}

/// What a forest shows: for gnuplot, and for those who do not see it.
struct ForestData {
  std::string csv = "panel,row,name,ratio,low,high,verdict\n";
  std::string titles;
  Table table{.caption = "What the picture shows",
              .header = {"load", "backend", "ratio", "low", "high", "verdict"},
              .rows = {},
              .is_folded = true};
  Axis axis;
};

/// The row of a contender; without figures where it was not measured.
void add_row(ForestData& data, std::size_t panel, std::size_t row, const std::string& title,
             const AtLoad& one) {
  Finding finding;
  std::string verdict;
  if (one.planned.role == Role::baseline) {
    finding.low = finding.high = 1;
    verdict = "baseline";
  } else if (one.compared[Metric::cpu] && std::isfinite(one.compared[Metric::cpu]->finding.high)) {
    finding = one.compared[Metric::cpu]->finding;
    verdict = verdict_key(finding.verdict);
  }
  const auto show = [&](double value) {
    return verdict.empty() ? "NaN" : fmt::format("{:.5g}", value);
  };
  const std::vector<std::string> figures = {show(finding.ratio), show(finding.low),
                                            show(finding.high)};
  const std::string& name = one.planned.contender.name;
  data.csv += csv_record(std::vector<std::string>{fmt::to_string(panel), fmt::to_string(row), name,
                                                  figures[0], figures[1], figures[2], verdict});
  if (verdict.empty()) return;
  data.axis.include(finding);
  data.table.rows.push_back({title, name, figures[0], figures[1], figures[2], verdict});
}

/// A panel for each of `loads`, as plots/`name`.svg with its data beside it.
Picture forest(const Answer& answer, std::span<const LoadAnswer* const> loads, const Json& record,
               Gnuplot& gnuplot, const std::string& name) {
  ForestData data;
  for (std::size_t panel = 1; panel <= loads.size(); ++panel) {
    const LoadAnswer& load = *loads[panel - 1];
    const std::string title = name_of_load(load.load.cell);
    data.titles += (panel > 1 ? " " : "") + without_spaces(title);
    for (std::size_t row = 1; row <= load.contenders.size(); ++row) {
      add_row(data, panel, row, title, load.contenders[row - 1]);
    }
  }
  const std::string title =
      fmt::format("CPU time of the server per echo, relative to {}", answer.plan.baseline());
  const std::string caption = fmt::format(
      "{}. Bars: intervals that hold together with 95 %;\nblue: cheaper, orange: more expensive, "
      "grey: same (within {:g} %), hollow: unclear.",
      machine_words(record), 100 * answer.plan.same_within);
  std::string svg = gnuplot.draw(
      name, "ratios", data.csv,
      {fmt::to_string(loads.size()), fmt::to_string(answer.plan.contenders.size()),
       fmt::format("{:.4f}", data.axis.low), fmt::format("{:.4f}", data.axis.high),
       fmt::format("{:.4f}", 1 + answer.plan.same_within), title, caption, data.titles});
  return {.name = name,
          .title = title,
          .description =
              "A panel for each load and a row for each backend: the ratio of its CPU "
              "time per echo to the baseline's, with its interval.",
          .svg = std::move(svg),
          .data = std::move(data.table),
          .csv = std::move(data.csv)};
}

}  // namespace

std::string machine_words(const Json& record) {
  return fmt::format("{}, {} processors, Linux {}, {}",
                     one_line(text_at(record, "/machine/cpu_model", "unknown CPU")),
                     value_at(record, "/machine/processors_online").dump(),
                     one_line(text_at(record, "/machine/kernel_release", "?")),
                     record.at("started_utc").get<std::string>().substr(0, 10));
}

Gallery draw_ratios(const Answer& answer, const Json& record, Gnuplot& gnuplot) {
  constexpr std::size_t kPanels = 5;
  std::vector<const LoadAnswer*> loads;
  for (const LoadAnswer& load : answer.loads) {
    if (load.is_measured()) loads.push_back(&load);
  }
  Gallery gallery;
  for (std::size_t begin = 0; begin < loads.size(); begin += kPanels) {
    const std::size_t count = std::min(kPanels, loads.size() - begin);
    const std::string name = begin == 0 ? "ratios" : fmt::format("ratios-{}", begin / kPanels + 1);
    Picture picture = forest(answer, std::span(loads).subspan(begin, count), record, gnuplot, name);
    if (!picture.svg.empty()) gallery.pictures.push_back(std::move(picture));
  }
  return gallery;
}

}  // namespace muxlab
