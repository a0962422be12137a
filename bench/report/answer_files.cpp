#include "bench/report/answer_files.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "backends/parts/failure.hpp"
#include "bench/data/csv.hpp"
#include "bench/data/files.hpp"
#include "bench/report/plots.hpp"
#include "server/cli/cli.hpp"
#include "server/cli/words.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;
using Path = std::filesystem::path;

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
            {name_of(load.load.placement), answer.plan.baseline(), std::string(name_of(metric)),
             show(finding.ratio), show(finding.low), show(finding.high),
             std::string(verdict_key(finding.verdict)), fmt::to_string(compared.estimate.blocks),
             fmt::to_string(compared.estimate.rigs), fmt::to_string(compared.look + 1),
             show(compared.ratio_of_sums)});
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
    if (metric == Metric::cpu || !load.has(metric)) continue;
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

/// Finds the number of server threads from which they outnumber their processors.
PlotFrame frame_of(const Answer& answer, const Json& record) {
  const double processors =
      std::max(1.0, static_cast<double>(answer.plan.allowed_processors.size()) - 1);
  return {.caption = machine_words(record) +
                     ". Medians of the rigs; bars from the least to the greatest,\nfor CPU time "
                     "the interval of the ratio. A hollow point: not the server was the bound.",
          .crowded_from = processors * std::sqrt(2)};
}

/// Returns the command line that measured, quoted for a shell.
std::string command_words(const Json& record) {
  std::string text;
  for (const Json& word : record.at("command_line")) {
    text += (text.empty() ? "" : " ") + shell_word(word.get<std::string>());
  }
  return text;
}

std::string question_of(const Answer& answer) {
  const auto experiment =
      std::ranges::find(experiments(), answer.plan.experiment, &Experiment::name);
  return experiment == experiments().end()
             ? fmt::format("CPU time per echo, against {}", answer.plan.baseline())
             : std::string(experiment->question);
}

/// The drawn pictures of a campaign, and why the rest is missing.
struct Pictures {
  Gallery ratios;
  std::vector<Gallery> others;
  std::string why_missing;
};

Document document_of(const Answer& answer, const Json& record, const Pictures& drawn) {
  Document document{
      .title = question_of(answer),
      .lead = fmt::format("{}. Command: {}", machine_words(record), command_words(record)),
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
  if (!drawn.why_missing.empty()) result.blocks.push_back(Paragraph{drawn.why_missing, true});
  if (!drawn.ratios.pictures.empty()) result.blocks.push_back(drawn.ratios);
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
  for (const Gallery& gallery : drawn.others) pictures.blocks.emplace_back(gallery);
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

/// Returns false when stdout takes no more, or when `interrupt` is readable before stdout is.
bool print_out(std::string_view text, int interrupt) {
  constexpr std::size_t kWhole = 4096;  // a writable pipe takes this much without blocking
  while (!text.empty()) {
    std::array<pollfd, 2> waited{{{STDOUT_FILENO, POLLOUT, 0}, {interrupt, POLLIN, 0}}};
    if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return false;
    if (waited[0].revents == 0 && waited[1].revents != 0) return false;
    if (waited[0].revents == 0) continue;
    const ssize_t size = ::write(STDOUT_FILENO, text.data(), std::min(text.size(), kWhole));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

void write_pages(const Path& folder, const Document& document) {
  write_whole(folder / "report.md", markdown_page(document));
  write_whole(folder / "report.html", html_page(document));
}

constexpr int kAnswerSchema = 1;

std::string_view status_key(Status status) {
  static constexpr std::array<std::string_view, 3> kKeys = {"measured", "unavailable", "failed"};
  return kKeys[static_cast<std::size_t>(status)];
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

}  // namespace

Results::Results(Path from)
    : folder(std::move(from)),
      machine(read_machine_record(folder)),
      records(read_records(folder)),
      answer(answer_of(plan_from_json(machine.at("plan")), records)) {}

void Report::write() const {
  const auto& [folder, machine, records, answer] = results_;
  write_whole(folder / "comparisons.csv", comparisons_csv(answer));
  write_whole(folder / "summary.csv", summary_csv(summarise(answer, records)));
  Pictures none;
  none.why_missing = "The pictures are not drawn yet: muxlab report draws them.";
  write_pages(folder, document_of(answer, machine, none));
  sync_results(folder);
}

void Report::print(bool as_json, int interrupt) const {
  const std::string text = as_json
                               ? answer_json(results_.answer, results_.machine)
                                         .dump(2, ' ', false, Json::error_handler_t::replace) +
                                     "\n"
                               : fmt::format("{}\nReport  {}\n", answer_text(results_.answer),
                                             one_line((results_.folder / "report.html").string()));
  if (print_out(text, interrupt)) return;
  throw Failure(ExitCode::unavailable,
                "stdout could not be written: the answer is in report.md of the folder too");
}

Report::Made Report::make(bool as_json, int interrupt, bool is_drawn) const {
  Made made;
  const auto attempt = [&made](const auto& step) {
    try {
      step();
    } catch (const std::exception&) {
      if (!made.failure) made.failure = std::current_exception();
    }
  };
  attempt([&] { write(); });
  attempt([&] { print(as_json, interrupt); });
  if (is_drawn) attempt([&] { made.missing = draw(interrupt); });
  return made;
}

std::string Report::draw(int interrupt) const {
  const auto& [folder, machine, records, answer] = results_;
  Gnuplot gnuplot(folder, interrupt);
  Pictures drawn;
  if (std::ranges::any_of(answer.loads, &LoadAnswer::is_measured)) {
    drawn.ratios = draw_ratios(answer, machine, gnuplot);
    drawn.others = draw_pictures(gnuplot, summarise(answer, records), frame_of(answer, machine));
    drawn.why_missing = gnuplot.why_missing();
  }
  write_pages(folder, document_of(answer, machine, drawn));
  sync_results(folder);
  return drawn.why_missing;
}

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

}  // namespace muxlab
