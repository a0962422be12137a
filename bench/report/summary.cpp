#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "bench/data/csv.hpp"
#include "bench/report/plots.hpp"

namespace muxlab {
namespace {

struct Figure {
  std::string name;
  double value;  ///< NaN: not measured
};

double ratio(std::uint64_t sum, std::uint64_t count) {
  return count > 0 ? static_cast<double>(sum) / static_cast<double>(count) : kNotMeasured;
}

double known(std::uint64_t value) { return value > 0 ? static_cast<double>(value) : kNotMeasured; }

/// System calls per echo that theory says.
double predicted_calls(const RigRecord& record, const Cell& cell) {
  const Backend* const backend = find_backend(cell.backend);
  if (backend == nullptr || !backend->calls || cell.churn > 0) return kNotMeasured;
  const CallsPerEcho& calls = *backend->calls;
  const double per_wait = ratio(record.events, record.calls[0]);
  const double waits = calls.events > 0 ? calls.events / per_wait : 0;
  return waits + calls.read + calls.write + calls.ctl + calls.other;
}

/// Of a contender in one rig, which ran as `cell` says.
std::vector<Figure> figures_of(const RigRecord& record, const Cell& cell) {
  constexpr std::size_t kTimed = 4;  // kinds of calls that are shown by themselves
  const auto per_echo = [&](std::uint64_t sum) { return ratio(sum, record.echoes); };
  const bool is_timed = record.clock_ns > 0;
  const auto time_in = [&](std::size_t kind) {
    return is_timed ? per_echo(record.call_ns[kind]) : kNotMeasured;
  };
  const Backend* const backend = find_backend(cell.backend);
  double rest_ns = per_echo(record.cpu_ns) - per_echo(record.clock_ns);
  for (std::size_t kind = 0; kind < kTimed; ++kind) rest_ns -= time_in(kind);
  if (backend == nullptr || is_oracle(*backend)) rest_ns = kNotMeasured;
  const std::uint64_t connections = cell.connections + cell.idle;
  std::vector<Figure> all = {
      {"echoes_per_s", record.placement == Placement::shared
                           ? kNotMeasured
                           : 1e9 * ratio(record.echoes, record.elapsed_ns)},
      {"server_cpu_ns_per_echo", per_echo(record.cpu_ns)},
      {"client_cpu_ns_per_echo", per_echo(record.client_cpu_ns)},
      {"syscalls_per_echo", per_echo(record.all_calls())},
      {"syscalls_predicted_per_echo", predicted_calls(record, cell)},
      {"events_per_wait", ratio(record.events, record.calls[0])},
      {"cpu_clock_ns_per_echo", is_timed ? per_echo(record.clock_ns) : kNotMeasured},
      {"cpu_rest_ns_per_echo", rest_ns},
      {"connections_per_s",
       cell.churn > 0 ? 1e9 * ratio(record.opened, record.elapsed_ns) : kNotMeasured},
      {"first_echo_ns_p50", known(record.first_echo_ns_p50)},
      {"first_echo_ns_p99", known(record.first_echo_ns_p99)},
      {"fairness", record.fairness > 0 ? record.fairness : kNotMeasured},
      {"server_resident_bytes", known(record.resident_bytes)},
      {"server_bytes_per_connection", ratio(record.grown_bytes, connections)},
      {"kernel_bytes_per_connection",
       known(record.kernel_bytes) / static_cast<double>(connections)}};
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    all.push_back({fmt::format("syscalls_{}_per_echo", kCallNames[i]), per_echo(record.calls[i])});
  }
  for (std::size_t i = 0; i < kTimed; ++i) {
    all.push_back({fmt::format("cpu_{}_ns_per_echo", kCallNames[i]), time_in(i)});
  }
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    all.push_back({fmt::format("latency_ns_{}", kPercentileNames[i]), known(record.latency_ns[i])});
  }
  return all;
}

std::size_t place_of(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(figure_names(), name) - figure_names().begin());
}

SummaryRow row_of(const Answer& answer, const LoadAnswer& load, const AtLoad& one,
                  std::span<const RigRecord> records) {
  SummaryRow row{.experiment = answer.plan.experiment,
                 .cell = cell_of(load.load.cell, one.planned.contender),
                 .bound = one.bound,
                 .spreads = {}};
  std::vector<std::vector<double>> values(figure_names().size());
  for (const RigRecord& record : records) {
    const bool is_its = record.cell.backend == one.planned.contender.name && record.echoes > 0;
    if (!is_its || !is_of(record, load.load)) continue;
    ++row.rigs;
    const std::vector<Figure> figures = figures_of(record, row.cell);
    for (std::size_t i = 0; i < values.size(); ++i) values[i].push_back(figures[i].value);
  }
  for (std::vector<double>& each : values) row.spreads.push_back(spread_of(std::move(each)));
  auto& cpu = row.spreads[place_of(name_of(Metric::cpu))];
  const auto& compared = one.compared[Metric::cpu];
  if (one.planned.role != Role::baseline && !compared) cpu.reset();
  if (compared && std::isfinite(compared->finding.high)) {
    const Finding& finding = compared->finding;
    const double baseline = one.ns[Metric::cpu] / finding.ratio;
    cpu = Spread{one.ns[Metric::cpu], baseline * finding.low, baseline * finding.high};
  }
  return row;
}

}  // namespace

std::span<const std::string> figure_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Figure& figure : figures_of({}, {})) all.push_back(figure.name);
    return all;
  }();
  return names;
}

const std::optional<Spread>& SummaryRow::spread(std::string_view figure) const {
  return spreads[place_of(figure)];
}

std::vector<SummaryRow> summarise(const Answer& answer, std::span<const RigRecord> records) {
  std::vector<SummaryRow> rows;
  for (const LoadAnswer& load : answer.loads) {
    for (const AtLoad& one : load.contenders) {
      if (!one.planned.is_self_check()) rows.push_back(row_of(answer, load, one, records));
    }
  }
  return rows;
}

std::string summary_csv(std::span<const SummaryRow> rows) {
  std::vector<std::string> header = {"experiment"};
  const std::vector<std::string> cell = cell_header();
  header.insert(header.end(), cell.begin(), cell.end());
  header.insert(header.end(), {"rigs", "bound"});
  for (const std::string& figure : figure_names()) {
    for (const char* const part : {"median", "min", "max"}) {
      header.push_back(fmt::format("{}_{}", figure, part));
    }
  }
  std::string text = csv_record(header);
  for (const SummaryRow& row : rows) {
    std::vector<std::string> fields = {row.experiment};
    const std::vector<std::string> place = cell_fields(row.cell);
    fields.insert(fields.end(), place.begin(), place.end());
    fields.push_back(fmt::to_string(row.rigs));
    fields.emplace_back(name_of(row.bound));
    for (const auto& spread : row.spreads) {
      const Spread none{kNotMeasured, kNotMeasured, kNotMeasured};
      const Spread shown = spread.value_or(none);
      for (const double value : {shown.median, shown.min, shown.max}) {
        fields.push_back(std::isnan(value) ? "" : fmt::format("{:.6g}", value));
      }
    }
    text += csv_record(fields);
  }
  return text;
}

}  // namespace muxlab
