#include "bench/report_words.hpp"

#include <fmt/format.h>

#include "cli.hpp"

namespace muxlab {

std::string point_words(const Cell& cell) {
  std::string text = fmt::format("{} ({}), {} connections", counted(cell.threads, "thread"),
                                 cell.threading, cli::show_count(cell.connections));
  if (cell.idle > 0) text += fmt::format(" and {} idle", cli::show_count(cell.idle));
  return text;
}

std::string point_words(const SummaryRow& row) {
  const Grid usual;
  std::string text = point_words(row.cell);
  if (row.size_bytes != usual.size_bytes) text += fmt::format(", {} bytes", row.size_bytes);
  if (row.depth != usual.depth) text += fmt::format(", {} in flight", row.depth);
  return text;
}

std::string spread_words(const std::optional<Spread>& spread, double unit, int decimals) {
  if (!spread) return "-";
  const auto shown = [&](double value) {
    return decimals == 0 ? in_groups(value / unit) : fmt::format("{:.{}f}", value / unit, decimals);
  };
  return fmt::format("{} ({} to {})", shown(spread->median), shown(spread->min),
                     shown(spread->max));
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string in_groups(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

}  // namespace muxlab
