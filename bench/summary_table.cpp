#include "bench/summary_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bench/cell_columns.hpp"
#include "bench/report_words.hpp"
#include "cli.hpp"

namespace muxlab {
namespace {

std::string shown(const std::optional<Spread>& spread, double unit, int decimals) {
  return spread ? fmt::format("{:.{}f}", spread->median / unit, decimals) : "-";
}

std::string heading(const SummaryRow& row) {
  std::string text = fmt::format("{}, {}", row.experiment, describe_threads(row.cell));
  if (row.cell.idle > 0) text += fmt::format(", {} idle", cli::show_count(row.cell.idle));
  text += describe_what_is_unusual(row.cell);
  return text + fmt::format("\n  {:<21} {:>11} {:>12} {:>21} {:>9} {:>9} {:>11} {:>13} {:>9}  {}\n",
                            "backend", "connections", "echoes/s", "min .. max", "p50 ms", "p99 ms",
                            "CPU us/echo", "syscalls/echo", "predicted", "limiter");
}

/// How many of its trials are not in the figures, and why; and whether any is that should be.
std::string remarks(const SummaryRow& row) {
  std::string text;
  const auto add = [&text](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("  ({} {})", count, what);
  };
  add(row.failed, "failed");
  add(row.untrusted, row.trials > 0 ? "disturbed" : "disturbed, no other");
  return text;
}

std::string line(const SummaryRow& row) {
  const std::string start =
      fmt::format("  {:<21} {:>11}", row.cell.backend, cli::show_count(row.cell.connections));
  if (!row.is_measured()) {
    return fmt::format("{} {}\n", start, row.unsupported > 0 ? "unsupported" : "failed");
  }
  const auto& rate = row.spread(Metric::echoes_per_s);
  const std::string least = row.limiter == Limiter::both ? ">= " : "";
  return fmt::format("{} {:>12} {:>21} {:>9} {:>9} {:>11} {:>13} {:>9}  {}{}\n", start,
                     rate ? least + in_groups(rate->median) : "-",
                     rate ? in_groups(rate->min) + " .. " + in_groups(rate->max) : "-",
                     shown(row.spread(Metric::latency_ns_p50), 1e6, 3),
                     shown(row.spread(Metric::latency_ns_p99), 1e6, 3),
                     shown(row.spread(Metric::server_cpu_ns_per_echo), 1e3, 2),
                     shown(row.spread(Metric::syscalls_per_echo), 1, 2),
                     shown(row.spread(Metric::syscalls_predicted_per_echo), 1, 2),
                     limiter_name(row.limiter), remarks(row));
}

/// Whether two rows stand below the same heading.
bool is_same_block(const Cell& one, const Cell& other) {
  Cell there = other;
  there.connections = one.connections;
  return point_of(one) == point_of(there);
}

}  // namespace

std::string summary_table(std::span<const SummaryRow> rows, std::string_view caution) {
  std::string text;
  const SummaryRow* previous = nullptr;
  for (const SummaryRow& row : rows) {
    const bool same_block = previous != nullptr && is_same_block(previous->cell, row.cell);
    if (!same_block) text += (previous == nullptr ? "" : "\n") + heading(row);
    if (same_block && previous->cell.connections != row.cell.connections) text += '\n';
    text += line(row);
    previous = &row;
  }
  text +=
      "\nCPU is the server's; over TCP loopback it includes the client's receive path. A rate that "
      "the\nclient limited is not shown; one that both did is the least that the server can do.\n"
      "Predicted are the system calls that theory says for so many events per wait.\n";
  const auto is_disturbed = [](const SummaryRow& row) {
    return row.is_measured() && row.trials == 0;
  };
  if (const auto disturbed = std::ranges::count_if(rows, is_disturbed); disturbed > 0) {
    text += fmt::format(
        "Disturbed: at {} of these points something else was in the way of each trial; trials.csv "
        "says what.\n",
        disturbed);
  }
  if (!caution.empty()) text += fmt::format("Caution: {}.\n", caution);
  return text;
}

}  // namespace muxlab
