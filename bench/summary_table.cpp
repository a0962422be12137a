#include "bench/summary_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli.hpp"

namespace muxlab {
namespace {

/// Waiting longer than this for a processor says that something else wanted it.
constexpr double kContendedShare = 0.05;

/// 1234567 as "1,234,567": the digits of a rate are easier to compare in groups.
std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string shown(const std::optional<Spread>& spread, double unit, int decimals) {
  return spread ? fmt::format("{:.{}f}", spread->median / unit, decimals) : "-";
}

std::string heading(const SummaryRow& row) {
  std::string text = fmt::format("{}, {} thread{} ({})", row.experiment, row.cell.threads,
                                 row.cell.threads == 1 ? "" : "s", row.cell.threading);
  if (row.cell.idle > 0) text += fmt::format(", {} idle", cli::show_count(row.cell.idle));
  return text + fmt::format("\n  {:<16} {:>11} {:>10} {:>21} {:>9} {:>9} {:>11} {:>13}\n",
                            "backend", "connections", "echoes/s", "min .. max", "p50 ms", "p99 ms",
                            "CPU us/echo", "syscalls/echo");
}

std::string line(const SummaryRow& row) {
  const std::string start =
      fmt::format("  {:<16} {:>11}", row.cell.backend, cli::show_count(row.cell.connections));
  const auto& rate = row.spread(Metric::echoes_per_s);
  if (!rate) return fmt::format("{} {}\n", start, row.unsupported > 0 ? "unsupported" : "failed");
  return fmt::format("{} {:>10} {:>21} {:>9} {:>9} {:>11} {:>13}{}\n", start, grouped(rate->median),
                     grouped(rate->min) + " .. " + grouped(rate->max),
                     shown(row.spread(Metric::latency_ns_p50), 1e6, 3),
                     shown(row.spread(Metric::latency_ns_p99), 1e6, 3),
                     shown(row.spread(Metric::server_cpu_ns_per_echo), 1e3, 2),
                     shown(row.spread(Metric::syscalls_per_echo), 1, 2),
                     row.failed > 0 ? fmt::format("  ({} failed)", row.failed) : "");
}

/// Cells whose server had to wait for its processor although no thread of its own was in the way.
std::size_t count_contended(std::span<const SummaryRow> rows) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const SummaryRow& row) {
        const auto& wait = row.spread(Metric::server_runqueue_wait_share);
        return row.cell.threads == 1 && wait && wait->median > kContendedShare;
      }));
}

}  // namespace

std::string summary_table(std::span<const SummaryRow> rows, std::string_view caution) {
  std::string text;
  const SummaryRow* previous = nullptr;
  for (const SummaryRow& row : rows) {
    const bool same_block = previous != nullptr && previous->cell.threads == row.cell.threads &&
                            previous->cell.threading == row.cell.threading &&
                            previous->cell.idle == row.cell.idle;
    if (!same_block) text += (previous == nullptr ? "" : "\n") + heading(row);
    if (same_block && previous->cell.connections != row.cell.connections) text += '\n';
    text += line(row);
    previous = &row;
  }
  text += "\nCPU is the server's; over TCP loopback it includes the client's receive path.\n";
  if (const std::size_t contended = count_contended(rows); contended > 0) {
    text += fmt::format(
        "Contended: in {} points the server waited for its processor for more than "
        "{:.0f} % of the time.\n",
        contended, 100 * kContendedShare);
  }
  if (!caution.empty()) text += fmt::format("Caution: {}.\n", caution);
  return text;
}

}  // namespace muxlab
