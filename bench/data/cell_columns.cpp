#include "bench/data/cell_columns.hpp"

#include <fmt/format.h>

#include "server/cli/cli.hpp"

namespace muxlab {

namespace {

const std::string& field_of(const std::string& text) { return text; }
std::string field_of(std::uint64_t count) { return fmt::to_string(count); }
std::string field_of(bool unix_sockets) { return transport_name(unix_sockets); }

}  // namespace

std::vector<std::string> cell_header() {
  std::vector<std::string> header;
  const Cell none;
  each_cell_column(none, [&](const char* name, const auto&) { header.emplace_back(name); });
  return header;
}

std::vector<std::string> cell_fields(const Cell& cell) {
  std::vector<std::string> fields;
  each_cell_column(cell,
                   [&](const char*, const auto& value) { fields.push_back(field_of(value)); });
  return fields;
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
