#include "bench/cell_columns.hpp"

#include <fmt/format.h>

#include "cli.hpp"

namespace muxlab {

std::vector<std::string> cell_header() {
  return {"backend", "threading", "threads",    "connections", "idle",   "size_bytes",
          "depth",   "transport", "rate_per_s", "churn",       "engine", "notify"};
}

std::vector<std::string> cell_fields(const Cell& cell) {
  return {cell.backend,
          cell.threading,
          fmt::to_string(cell.threads),
          fmt::to_string(cell.connections),
          fmt::to_string(cell.idle),
          fmt::to_string(cell.size_bytes),
          fmt::to_string(cell.depth),
          cell.unix_sockets ? "unix" : "tcp",
          fmt::to_string(cell.rate_per_s),
          fmt::to_string(cell.churn),
          cell.engine,
          cell.notify};
}

std::string describe_threads(const Cell& cell) {
  return fmt::format("{} ({})", counted(cell.threads, "thread"), cell.threading);
}

std::string describe_what_is_unusual(const Cell& cell) {
  const Cell usual;
  std::string text;
  const std::uint64_t usual_depth = cell.rate_per_s == 0 ? 1 : 0;
  if (cell.size_bytes != usual.size_bytes) text += fmt::format(", {} B", cell.size_bytes);
  if (cell.depth != usual_depth) text += fmt::format(", {} in flight", cell.depth);
  if (cell.unix_sockets) text += ", unix sockets";
  if (cell.rate_per_s > 0) text += fmt::format(", {}/s", cli::show_count(cell.rate_per_s));
  if (cell.churn > 0) text += fmt::format(", churn {}", cell.churn);
  if (cell.engine != usual.engine) text += fmt::format(", {} client", cell.engine);
  if (cell.notify != usual.notify) text += fmt::format(", notified by {}", cell.notify);
  return text;
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
