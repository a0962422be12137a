#include "bench/report_limiter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bench/report_content.hpp"
#include "bench/report_words.hpp"

namespace muxlab {
namespace {

/// Busier than this, a side has nothing left to give; less busy than that, it certainly has.
constexpr double kNothingLeft = 0.95;
constexpr double kHardlyAnythingLeft = 0.90;
constexpr double kSomethingLeft = 0.85;
constexpr double kWaitsForItsProcessor = 0.05;

double median_of(const SummaryRow& row, Metric metric) {
  const auto& spread = row.spread(metric);
  return spread ? spread->median : 0;
}

/// What the processors say.
std::string bound_by(const SummaryRow& row) {
  const double server = median_of(row, Metric::server_cpu_util);
  const double client = median_of(row, Metric::client_cpu_util);
  if (server >= kNothingLeft && client < kSomethingLeft) return "the server";
  if (server >= kHardlyAnythingLeft && client >= kHardlyAnythingLeft) return "both at once";
  if (client >= kHardlyAnythingLeft) return "the client";
  if (server >= kHardlyAnythingLeft) return "the server, nearly";
  return "neither: both waited";
}

std::string percent(const SummaryRow& row, Metric metric) {
  const auto& spread = row.spread(metric);
  return spread ? fmt::format("{:.0f} %", 100 * spread->median) : "-";
}

Table limiter_table(const ReportSource& source) {
  Table table{"What bounded each point; medians of its trials",
              {"backend", "at", "bounded by", "server busy", "client busy",
               "server waited for its processor", "system calls per echo", "echoes per second",
               "p99 (ms)", "trials", "failed"},
              {},
              true};
  for (const SummaryRow& row : source.summary) {
    table.rows.push_back({row.cell.backend, point_words(row), source.limiters.of(row),
                          percent(row, Metric::server_cpu_util),
                          percent(row, Metric::client_cpu_util),
                          percent(row, Metric::server_runqueue_wait_share),
                          spread_words(row.spread(Metric::syscalls_per_echo), 1, 2),
                          spread_words(row.spread(Metric::echoes_per_s), 1, 0),
                          spread_words(row.spread(Metric::latency_ns_p99), 1e6, 2),
                          fmt::to_string(row.trials), fmt::to_string(row.failed)});
  }
  return table;
}

}  // namespace

const Limiters::Said* Limiters::find(const auto& row) const {
  const auto said = std::ranges::find_if(said_, [&](const Said& one) {
    return one.cell == row.cell && one.size_bytes == row.size_bytes && one.depth == row.depth;
  });
  return said == said_.end() ? nullptr : &*said;
}

Limiters::Limiters(const CsvTable& table, std::span<const TrialRow> trials) {
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(table.header, name) - table.header.begin());
  };
  const std::size_t limiter = column("limiter");
  const std::size_t contended = column("contended");
  has_limiter_ = limiter < table.header.size();
  has_contended_ = contended < table.header.size();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].outcome.status != TrialStatus::ok) continue;
    const Said* known = find(trials[i]);
    if (known == nullptr) {
      said_.push_back({trials[i].cell, trials[i].size_bytes, trials[i].depth, {}, 0, 0});
      known = &said_.back();
    }
    Said* const said = &said_[static_cast<std::size_t>(known - said_.data())];
    ++said->trials;
    if (has_limiter_) ++said->limiters[table.records[i][limiter]];
    if (!has_contended_) continue;
    const std::string& field = table.records[i][contended];
    said->contended += field.empty() || field == "0" || field == "false" || field == "no" ? 0 : 1;
  }
}

std::string Limiters::of(const SummaryRow& row) const {
  const Said* const said = find(row);
  if (said == nullptr) return {};
  if (!has_limiter_) return bound_by(row);
  return std::ranges::max_element(said->limiters, {}, [](const auto& one) { return one.second; })
      ->first;
}

bool Limiters::is_contended(const SummaryRow& row) const {
  const Said* const said = find(row);
  if (said == nullptr) return false;
  if (has_contended_) return 2 * said->contended > said->trials;
  // With more threads than processors a server is in its own way.
  return row.cell.threads == 1 &&
         median_of(row, Metric::server_runqueue_wait_share) > kWaitsForItsProcessor;
}

std::size_t Limiters::count_contended(std::span<const SummaryRow> rows) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(rows, [&](const SummaryRow& row) { return is_contended(row); }));
}

Section limiter_section(const ReportSource& source) {
  std::map<std::string, std::size_t> counts;
  for (const SummaryRow& row : source.summary) {
    if (const std::string words = source.limiters.of(row); !words.empty()) ++counts[words];
  }
  Bullets bullets;
  for (const auto& [words, count] : counts) {
    bullets.items.push_back(fmt::format("{}: {}", words, counted(count, "point")));
  }
  return {"limiter",
          "What was the limiter?",
          {Paragraph{"Why was it not twice as fast? Whoever had no processor time left bounded the "
                     "rate. Where that is the client, or both, throughput is at least what the "
                     "server can do, and CPU per echo is still the server's own."},
           std::move(bullets), limiter_table(source)}};
}

}  // namespace muxlab
