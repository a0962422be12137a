#include <fmt/format.h>

#include <map>

#include "bench/cell_columns.hpp"
#include "bench/report_content.hpp"
#include "bench/report_words.hpp"

namespace muxlab {
namespace {

/// What is behind a name, for whoever asks why it was not twice as fast.
std::string limiter_words(Limiter limiter) {
  switch (limiter) {
    case Limiter::server:
      return "the server had no processor time left: its capacity was measured";
    case Limiter::client:
      return "the client had none left: the rate is its own and is not shown";
    case Limiter::both:
      return "neither had any left: the rate is the least that the server can do";
    case Limiter::latency:
      return "both waited: with more messages in flight there would be more echoes";
    case Limiter::offered_rate:
      return "both waited: no more were sent";
    default:
      return "it was not measured";
  }
}

std::string percent(const SummaryRow& row, Metric metric) {
  const auto& spread = row.spread(metric);
  return spread ? fmt::format("{:.0f} %", 100 * spread->median) : "-";
}

Table limiter_table(const Report& report) {
  Table table{
      "What bounded each point; medians of its trials (least to greatest)",
      {"backend", "at", "limiter", "server busy", "client busy", "server waited for its processor",
       "system calls per echo", "echoes per second", "p99 (ms)", "trials", "disturbed", "failed"},
      {},
      true};
  for (const SummaryRow& row : report.summary) {
    table.rows.push_back(
        {row.cell.backend, describe_point(row.cell), std::string(limiter_name(row.limiter)),
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
  std::map<Limiter, std::size_t> counts;
  for (const SummaryRow& row : source.report.summary) {
    if (row.is_measured()) ++counts[row.limiter];
  }
  Bullets bullets;
  for (const auto& [limiter, count] : counts) {
    bullets.items.push_back(fmt::format("{} {}: {}", counted(count, "point"), limiter_name(limiter),
                                        limiter_words(limiter)));
  }
  return {"limiter",
          "What was the limiter?",
          {Paragraph{"Why was it not twice as fast? Whoever had no processor time left bounded the "
                     "rate. CPU per echo is the server's own in any case."},
           std::move(bullets), limiter_table(source.report)}};
}

}  // namespace muxlab
