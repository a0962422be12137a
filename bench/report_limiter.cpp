#include <fmt/format.h>

#include <map>

#include "bench/cell_columns.hpp"
#include "bench/report_content.hpp"
#include "bench/report_words.hpp"

namespace muxlab {
namespace {

/// As words of a sentence.
std::string limiter_words(const SummaryRow& row) {
  switch (row.limiter) {
    case Limiter::server:
      return "the server";
    case Limiter::client:
      return "the client";
    case Limiter::both:
      return "both at once";
    case Limiter::latency:
      return "neither: both waited";
    case Limiter::offered_rate:
      return "neither: no more was sent";
    case Limiter::unknown:
      break;
  }
  return {};
}

std::string percent(const SummaryRow& row, Metric metric) {
  const auto& spread = row.spread(metric);
  return spread ? fmt::format("{:.0f} %", 100 * spread->median) : "-";
}

Table limiter_table(const ReportSource& source) {
  Table table{"What bounded each point; medians of its trials",
              {"backend", "at", "bounded by", "server busy", "client busy",
               "server waited for its processor", "system calls per echo", "echoes per second",
               "p99 (ms)", "trials", "disturbed", "failed"},
              {},
              true};
  for (const SummaryRow& row : source.summary) {
    table.rows.push_back(
        {row.cell.backend, describe_point(row.cell), limiter_words(row),
         percent(row, Metric::server_cpu_util), percent(row, Metric::client_cpu_util),
         percent(row, Metric::server_runqueue_wait_share),
         spread_words(row.spread(Metric::syscalls_per_echo), 1, 2),
         spread_words(row.spread(Metric::echoes_per_s), 1, 0),
         spread_words(row.spread(Metric::latency_ns_p99), 1e6, 2), fmt::to_string(row.trials),
         fmt::to_string(row.untrusted), fmt::to_string(row.failed)});
  }
  return table;
}

}  // namespace

Section limiter_section(const ReportSource& source) {
  std::map<std::string, std::size_t> counts;
  for (const SummaryRow& row : source.summary) {
    if (const std::string words = limiter_words(row); !words.empty()) ++counts[words];
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
