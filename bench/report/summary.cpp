#include "bench/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "backends/backend.hpp"
#include "bench/cell_columns.hpp"
#include "bench/csv.hpp"

namespace muxlab {
namespace {

/// One contender in one rig, as it ran.
struct Told {
  const RigRecord& record;
  const Cell& cell;
};

struct Figure {
  std::string name;
  std::function<double(const Told&)> of;  ///< NaN: not measured
};

double ratio(std::uint64_t sum, std::uint64_t count) {
  return count > 0 ? static_cast<double>(sum) / static_cast<double>(count) : kNotMeasured;
}

double known(std::uint64_t value) { return value > 0 ? static_cast<double>(value) : kNotMeasured; }

std::uint64_t all_calls(const RigRecord& record) {
  std::uint64_t all = 0;
  for (const std::uint64_t calls : record.calls) all += calls;
  return all;
}

bool is_timed(const RigRecord& record) { return record.clock_ns > 0; }

/// In calls of a kind, per echo.
double time_in(const RigRecord& record, std::size_t kind) {
  return is_timed(record) ? ratio(record.call_ns[kind], record.echoes) : kNotMeasured;
}

/// The first four kinds are shown by themselves.
double rest_of(const Told& told) {
  const RigRecord& record = told.record;
  const Backend* const backend = find_backend(told.cell.backend);
  if (!is_timed(record) || backend == nullptr || backend->is_told) return kNotMeasured;
  double rest = ratio(record.cpu_ns, record.echoes) - ratio(record.clock_ns, record.echoes);
  for (std::size_t kind = 0; kind < 4; ++kind) rest -= time_in(record, kind);
  return rest;
}

double predicted_calls(const Told& told) {
  const RigRecord& record = told.record;
  const Backend* const backend = find_backend(told.cell.backend);
  if (backend == nullptr || !backend->calls || told.cell.churn > 0) return kNotMeasured;
  const CallsPerEcho& calls = *backend->calls;
  const double per_wait = ratio(record.events, record.calls[0]);
  const double waits = calls.events > 0 ? calls.events / per_wait : 0;
  return waits + calls.read + calls.write + calls.ctl + calls.other;
}

std::vector<Figure> all_figures() {
  std::vector<Figure> all = {
      {"echoes_per_s",
       [](const Told& told) {
         if (told.record.placement == Placement::shared) return kNotMeasured;
         return 1e9 * ratio(told.record.echoes, told.record.elapsed_ns);
       }},
      {"server_cpu_ns_per_echo",
       [](const Told& told) { return ratio(told.record.cpu_ns, told.record.echoes); }},
      {"client_cpu_ns_per_echo",
       [](const Told& told) { return ratio(told.record.client_cpu_ns, told.record.echoes); }},
      {"syscalls_per_echo",
       [](const Told& told) { return ratio(all_calls(told.record), told.record.echoes); }},
      {"syscalls_predicted_per_echo", predicted_calls},
      {"events_per_wait",
       [](const Told& told) { return ratio(told.record.events, told.record.calls[0]); }},
      {"cpu_clock_ns_per_echo",
       [](const Told& told) { return known(told.record.clock_ns) / known(told.record.echoes); }},
      {"cpu_rest_ns_per_echo", rest_of},
      {"connections_per_s",
       [](const Told& told) {
         return told.cell.churn > 0 ? 1e9 * ratio(told.record.opened, told.record.elapsed_ns)
                                    : kNotMeasured;
       }},
      {"first_echo_ns_p50", [](const Told& told) { return known(told.record.first_echo_ns_p50); }},
      {"first_echo_ns_p99", [](const Told& told) { return known(told.record.first_echo_ns_p99); }},
      {"fairness",
       [](const Told& told) {
         return told.record.fairness > 0 ? told.record.fairness : kNotMeasured;
       }},
      {"server_resident_bytes", [](const Told& told) { return known(told.record.resident_bytes); }},
      {"server_bytes_per_connection",
       [](const Told& told) {
         return ratio(told.record.grown_bytes, told.cell.connections + told.cell.idle);
       }},
      {"kernel_bytes_per_connection", [](const Told& told) {
         return known(told.record.kernel_bytes) /
                static_cast<double>(told.cell.connections + told.cell.idle);
       }}};
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    all.push_back({fmt::format("syscalls_{}_per_echo", kCallNames[i]), [i](const Told& told) {
                     return ratio(told.record.calls[i], told.record.echoes);
                   }});
  }
  for (std::size_t i = 0; i < 4; ++i) {
    all.push_back({fmt::format("cpu_{}_ns_per_echo", kCallNames[i]),
                   [i](const Told& told) { return time_in(told.record, i); }});
  }
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    all.push_back({fmt::format("latency_ns_{}", kPercentileNames[i]),
                   [i](const Told& told) { return known(told.record.latency_ns[i]); }});
  }
  return all;
}

const std::vector<Figure>& figures() {
  static const std::vector<Figure> all = all_figures();
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
  std::vector<std::vector<double>> values(figures().size());
  for (const RigRecord& record : records) {
    const bool is_its = record.cell.backend == one.planned.contender.name && record.echoes > 0;
    if (!is_its || !is_of(record, load.load)) continue;
    ++row.rigs;
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i].push_back(figures()[i].of({record, row.cell}));
    }
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

std::span<const std::string_view> figure_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Figure& figure : figures()) all.emplace_back(figure.name);
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
  for (const std::string_view figure : figure_names()) {
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
