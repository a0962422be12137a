#include "bench/report/answer_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "backends/failure.hpp"
#include "bench/campaign_files.hpp"
#include "bench/cell_columns.hpp"
#include "bench/csv.hpp"
#include "bench/report/answer_text.hpp"
#include "bench/report/plots.hpp"
#include "bench/report_document.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;
using Path = std::filesystem::path;

constexpr int kAnswerSchema = 1;

std::string_view status_key(Status status) {
  return status == Status::measured ? "measured"
         : status == Status::failed ? "failed"
                                    : "unavailable";
}

Json latency_json(const AtLoad& one) {
  if (std::isnan(one.latency_ns[0])) return {};
  Json json;
  for (std::size_t i = 0; i < kPercentileNames.size(); ++i) {
    json[std::string(kPercentileNames[i])] = number_or_null(one.latency_ns[i]);
  }
  return json;
}

Json backend_json(const AtLoad& one) {
  Json calls;
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    calls[std::string(kCallNames[i])] =
        number_or_null(one.status == Status::measured ? one.calls_per_echo[i] : kNotMeasured);
  }
  return {{"name", one.planned.contender.name},
          {"status", status_key(one.status)},
          {"reason", one.reason.empty() ? Json() : Json(one.reason)},
          {"broken_slices", one.broken},
          {"cpu_ns_per_echo", number_or_null(one.ns[Metric::cpu])},
          {"syscalls_per_echo", number_or_null(one.syscalls_per_echo)},
          {"calls_per_echo", std::move(calls)},
          {"events_per_wait", number_or_null(one.events_per_wait)},
          {"window_events_per_wait", number_or_null(one.window_events_per_wait)},
          {"bursty", one.is_bursty()},
          {"echoes_per_s", number_or_null(one.echoes_per_s)},
          {"bound", one.bound == Bound::unknown ? Json() : Json(name_of(one.bound))},
          {"latency_ns", latency_json(one)}};
}

Json finding_json(const Finding& finding) {
  return {{"ratio", number_or_null(finding.ratio)},
          {"low", number_or_null(finding.low)},
          {"high", number_or_null(finding.high)},
          {"verdict", verdict_key(finding.verdict)}};
}

Json comparison_json(const Answer& answer, const LoadAnswer& load, const AtLoad& one,
                     Metric metric) {
  const Compared& compared = *one.compared[metric];
  Json json = {{"backend", one.planned.contender.name}, {"baseline", answer.plan.baseline()}};
  json.update(load_json(load.load));
  json["metric"] = name_of(metric);
  json.update(finding_json(compared.finding));
  json["n"] = compared.estimate.blocks;
  json["rigs"] = compared.estimate.rigs;
  json["look"] = compared.look + 1;
  json["ratio_of_sums"] = number_or_null(compared.ratio_of_sums);
  json["heavy_tail"] = compared.has_heavy_tail();
  return json;
}

Json self_check_json(const Answer& answer, Role role) {
  const auto finding = self_check(answer, role);
  if (!finding) return {};
  Json json = finding_json(*finding);
  json["loads"] = Json::array();
  for (const LoadAnswer& load : answer.loads) {
    for (const AtLoad& one : load.contenders) {
      const auto& compared = one.compared[Metric::cpu];
      if (one.planned.role != role || !compared) continue;
      Json cell = load_json(load.load);
      cell.update(finding_json(compared->finding));
      json["loads"].push_back(std::move(cell));
    }
  }
  return json;
}

/// Long: one row per comparison and metric.
std::string comparisons_csv(const Answer& answer) {
  std::vector<std::string> header = cell_header();
  header.insert(header.end(), {"placement", "baseline", "metric", "ratio", "low", "high", "verdict",
                               "n", "rigs", "look", "ratio_of_sums"});
  std::string text = csv_record(header);
  const auto show = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.6g}", value) : std::string();
  };
  for (const LoadAnswer& load : answer.loads) {
    for (const AtLoad& one : load.contenders) {
      for (const Metric metric : kMetrics) {
        if (!one.compared[metric]) continue;
        const Compared& compared = *one.compared[metric];
        const Finding& finding = compared.finding;
        Cell cell = load.load.cell;
        cell.backend = one.planned.contender.name;
        std::vector<std::string> fields = cell_fields(cell);
        fields.insert(
            fields.end(),
            {load.load.placement == Placement::shared ? "shared" : "apart", answer.plan.baseline(),
             std::string(name_of(metric)), show(finding.ratio), show(finding.low),
             show(finding.high), std::string(verdict_key(finding.verdict)),
             fmt::to_string(compared.estimate.blocks), fmt::to_string(compared.estimate.rigs),
             fmt::to_string(compared.look + 1), show(compared.ratio_of_sums)});
        text += csv_record(fields);
      }
    }
  }
  return text;
}

std::string two_decimals(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.2f}", value);
}

/// The ratio of a contender with its interval and verdict, for a row that its name begins.
void add_finding(std::vector<std::string>& row, const AtLoad& one, Metric metric) {
  const auto& compared = one.compared[metric];
  if (!compared) {
    row.insert(row.end(), {"-", "-", "-",
                           one.planned.role == Role::baseline ? "baseline"
                           : !one.reason.empty()              ? one.reason
                           : metric == Metric::echo_time      ? "the server was not the bound"
                                                              : "not measured"});
    return;
  }
  const Finding& finding = compared->finding;
  for (const double value : {finding.ratio, finding.low, finding.high}) {
    row.push_back(std::isfinite(value) ? fmt::format("{:.3f}", value) : "-");
  }
  row.push_back(verdict_with_reason(*compared));
}

Table load_table(const Answer& answer, const LoadAnswer& load) {
  Table table{.caption = fmt::format("{}: server CPU time per echo relative to {}, with intervals "
                                     "that hold together with 95 %",
                                     name_of_load(load.load.cell), answer.plan.baseline()),
              .header = {"backend", "ratio", "low", "high", "verdict", "CPU per echo (us)",
                         "system calls per echo", "events per wait", "in a window",
                         "echoes per second", "bound", "p50 (us)", "p99 (us)", "blocks"},
              .rows = {}};
  for (const AtLoad& one : load.contenders) {
    std::vector<std::string> row = {one.planned.contender.name};
    add_finding(row, one, Metric::cpu);
    const auto in_us = [](double ns) { return two_decimals(ns / 1000); };
    row.insert(row.end(),
               {in_us(one.ns[Metric::cpu]), two_decimals(one.syscalls_per_echo),
                two_decimals(one.events_per_wait), two_decimals(one.window_events_per_wait),
                std::isnan(one.echoes_per_s) ? "-" : in_groups(one.echoes_per_s),
                one.bound == Bound::unknown ? "-" : std::string(name_of(one.bound)),
                in_us(one.latency_ns[kP50]), in_us(one.latency_ns[kP99])});
    const auto& compared = one.compared[Metric::cpu];
    row.push_back(compared ? fmt::to_string(compared->estimate.blocks) : "-");
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// The other metrics of a load, where there is something to compare.
void add_other_tables(const Answer& answer, const LoadAnswer& load, Section& section) {
  for (const Metric metric : kMetrics) {
    const bool is_there = std::ranges::any_of(
        load.contenders, [&](const AtLoad& one) { return one.compared[metric].has_value(); });
    if (metric == Metric::cpu || !is_there) continue;
    Table table{.caption = fmt::format("{}: {} relative to {}", name_of_load(load.load.cell),
                                       metric_words(metric), answer.plan.baseline()),
                .header = {"backend", "ratio", "low", "high", "verdict"},
                .rows = {}};
    for (const AtLoad& one : load.contenders) {
      table.rows.push_back({one.planned.contender.name});
      add_finding(table.rows.back(), one, metric);
    }
    section.blocks.emplace_back(std::move(table));
  }
}

Table pooled_table(const Answer& answer) {
  Table table{.caption = "All busy loads together, each with the same weight",
              .header = {"backend", "ratio", "low", "high", "verdict"},
              .rows = {}};
  for (const Pooled& one : answer.pooled) {
    table.rows.push_back({one.planned.contender.name, fmt::format("{:.3f}", one.finding.ratio),
                          fmt::format("{:.3f}", one.finding.low),
                          fmt::format("{:.3f}", one.finding.high),
                          std::string(verdict_words(one.finding.verdict))});
  }
  return table;
}

std::string text_or(const Json& object, const char* key, const std::string& otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

std::string machine_words(const Json& record) {
  const Json& machine = record.at("machine");
  return fmt::format(
      "{}, {} processors, Linux {}, {}", text_or(machine, "cpu_model", "unknown CPU"),
      machine.value("processors_online", Json()).dump(), text_or(machine, "kernel_release", "?"),
      record.at("started_utc").get<std::string>().substr(0, 10));
}

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
               const Path& folder, const std::string& name) {
  ForestData data;
  for (std::size_t panel = 1; panel <= loads.size(); ++panel) {
    const LoadAnswer& load = *loads[panel - 1];
    const std::string title = name_of_load(load.load.cell);
    data.titles += (panel > 1 ? " " : "") + without_spaces(title);
    for (std::size_t row = 1; row <= load.contenders.size(); ++row) {
      add_row(data, panel, row, title, load.contenders[row - 1]);
    }
  }
  const std::string file = "plots/" + name + ".csv";
  write_whole(folder / file, data.csv);
  const std::string title =
      fmt::format("CPU time of the server per echo, relative to {}", answer.plan.baseline());
  const std::string caption = fmt::format(
      "{}. Bars: intervals that hold together with 95 %;\nblue: cheaper, orange: more expensive, "
      "grey: same (within {:g} %), hollow: unclear.",
      machine_words(record), 100 * answer.plan.same_within);
  std::string svg =
      draw_svg(folder, "ratios",
               {file, fmt::to_string(loads.size()), fmt::to_string(answer.plan.contenders.size()),
                fmt::format("{:.4f}", data.axis.low), fmt::format("{:.4f}", data.axis.high),
                fmt::format("{:.4f}", 1 + answer.plan.same_within), title, caption, data.titles});
  write_whole(folder / "plots" / (name + ".svg"), svg);
  return {.name = name,
          .title = title,
          .description =
              "A panel for each load and a row for each backend: the ratio of its CPU "
              "time per echo to the baseline's, with its interval.",
          .svg = std::move(svg),
          .data = std::move(data.table),
          .csv = std::move(data.csv)};
}

/// As many pictures as it takes, of a few loads each.
Gallery forests(const Answer& answer, const Json& record, const Path& folder) {
  constexpr std::size_t kPanels = 5;
  std::vector<const LoadAnswer*> loads;
  for (const LoadAnswer& load : answer.loads) {
    if (load.is_measured()) loads.push_back(&load);
  }
  Gallery gallery;
  for (std::size_t begin = 0; begin < loads.size(); begin += kPanels) {
    const std::size_t count = std::min(kPanels, loads.size() - begin);
    const std::string name = begin == 0 ? "ratios" : fmt::format("ratios-{}", begin / kPanels + 1);
    gallery.pictures.push_back(
        forest(answer, std::span(loads).subspan(begin, count), record, folder, name));
  }
  return gallery;
}

/// Between how many server threads and how many more each has no processor of its own any more.
PlotFrame frame_of(const Answer& answer, const Json& record) {
  const double processors =
      std::max(1.0, static_cast<double>(answer.plan.allowed_processors.size()) - 1);
  return {.caption = machine_words(record) +
                     ". Medians of the rigs; bars from the least to the greatest,\nfor CPU time "
                     "the interval of the ratio. A hollow point: not the server was the bound.",
          .crowded_from = processors * std::sqrt(2)};
}

Document document_of(const Answer& answer, const Json& record, const Path& folder,
                     std::span<const SummaryRow> rows) {
  Document document{
      .title = answer.plan.experiment.empty() || answer.plan.experiment == "default"
                   ? fmt::format("CPU time per echo, against {}", answer.plan.baseline())
                   : std::string(find_experiment(answer.plan.experiment).question),
      .lead =
          machine_words(record) +
          fmt::format(". Command: {}",
                      fmt::join(record.at("command_line").get<std::vector<std::string>>(), " ")),
      .sections = {}};
  const bool measured = std::ranges::any_of(answer.loads, &LoadAnswer::is_measured);
  if (!measured) {
    document.sections.push_back(
        {"answer", "Answer", {Paragraph{"No rig was finished: nothing is known.", true}}});
    return document;
  }
  Section result{"answer", "Answer", {}};
  const auto status = record.at("run_status").get<std::string>();
  if (status == "interrupted" || status == "running") {
    result.blocks.push_back(
        Paragraph{"This campaign is " + status + ": its verdicts are provisional.", true});
  }
  result.blocks.push_back(forests(answer, record, folder));
  if (!answer.pooled.empty()) result.blocks.push_back(pooled_table(answer));
  document.sections.push_back(std::move(result));
  Section loads{"loads", "Each load", {}};
  for (const LoadAnswer& load : answer.loads) {
    if (!load.is_measured()) continue;
    loads.blocks.push_back(load_table(answer, load));
    add_other_tables(answer, load, loads);
  }
  document.sections.push_back(std::move(loads));
  Section pictures{"pictures", "Pictures", {}};
  for (Gallery& gallery : draw_pictures(folder, rows, frame_of(answer, record))) {
    pictures.blocks.emplace_back(std::move(gallery));
  }
  if (!pictures.blocks.empty()) document.sections.push_back(std::move(pictures));
  Section trust{"trust", "Can it be trusted?", {}};
  Bullets bullets;
  const std::string doubt = doubt_of_build(record);
  if (!doubt.empty()) trust.blocks.push_back(Paragraph{doubt, true});
  bullets.items = trust_notes(answer);
  const Json throttling = record.value("throttling", Json::array());
  for (const Json& words : throttling) {
    if (words.is_string()) bullets.items.push_back(words.get<std::string>());
  }
  for (const LoadAnswer& load : answer.loads) {
    if (!load.is_measured()) continue;
    bullets.items.push_back(
        fmt::format("{}: {} rigs; f {:.2f} with {:.0f} degrees of freedom; other programs {:.1f} "
                    "%, host {:.1f} %",
                    name_of_load(load.load.cell), load.rigs, load.inflation.f,
                    load.inflation.degrees, 100 * load.others_share, 100 * load.stolen_share));
  }
  trust.blocks.push_back(std::move(bullets));
  document.sections.push_back(std::move(trust));
  return document;
}

}  // namespace

Json answer_json(const Answer& answer, const Json& machine) {
  Json loads = Json::array(), comparisons = Json::array(), pooled = Json::array();
  for (const LoadAnswer& load : answer.loads) {
    Json json = load_json(load.load);
    json["rigs"] = load.rigs;
    json["f"] = number_or_null(load.inflation.f);
    json["stolen_share"] = load.stolen_share;
    json["others_share"] = load.others_share;
    json["backends"] = Json::array();
    for (const AtLoad& one : load.contenders) {
      json["backends"].push_back(backend_json(one));
      for (const Metric metric : kMetrics) {
        if (!one.compared[metric]) continue;
        comparisons.push_back(comparison_json(answer, load, one, metric));
      }
    }
    loads.push_back(std::move(json));
  }
  for (const Pooled& one : answer.pooled) {
    Json json = {{"backend", one.planned.contender.name}, {"metric", name_of(Metric::cpu)}};
    json.update(finding_json(one.finding));
    pooled.push_back(std::move(json));
  }
  return {{"schema_version", kAnswerSchema},
          {"status", machine.at("run_status")},
          {"machine", machine.at("machine")},
          {"loads", std::move(loads)},
          {"comparisons", std::move(comparisons)},
          {"pooled", std::move(pooled)},
          {"self_check",
           {{"same_again", self_check_json(answer, Role::same_again)},
            {"one_call_more", self_check_json(answer, Role::extra_call)}}}};
}

Answer render_answer(const Path& folder) {
  const Json record = read_machine_record(folder);
  const SlicedPlan plan = plan_from_json(record.at("plan"));
  const std::vector<RigRecord> records = read_records(folder);
  Answer answer = answer_of(plan, records);
  const std::vector<SummaryRow> rows = summarise(answer, records);
  std::filesystem::create_directories(folder / "plots");
  write_whole(folder / "comparisons.csv", comparisons_csv(answer));
  write_whole(folder / "summary.csv", summary_csv(rows));
  const Document document = document_of(answer, record, folder, rows);
  write_whole(folder / "report.md", markdown_page(document));
  write_whole(folder / "report.html", html_page(document));
  return answer;
}

}  // namespace muxlab
