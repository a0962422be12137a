#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/inspect/behaviour.hpp"

namespace muxlab::behaviour {
namespace {

using ShownJson = nlohmann::ordered_json;

constexpr const char* kIntroduction =
    "Each state was made, watched and asked about on this kernel. \"Once\": a second wait, with "
    "nothing changed, reported nothing. What means something else than what poll(2) reports is "
    "marked. \"Next\" is what the calls after it returned, in that order.";

std::string string_of(const ShownJson& value) { return value.get<std::string>(); }

std::string join(const ShownJson& list, const char* separator) {
  return fmt::format("{}", fmt::join(list.get<std::vector<std::string>>(), separator));
}

std::string report_text(const ShownJson& report) {
  if (report.is_string()) return string_of(report);
  return report.empty() ? "-" : join(report, ", ");
}

std::string cell_text(const ShownJson& cell) {
  std::string first = report_text(cell["reported"]);
  const std::string again = report_text(cell["again"]);
  if (cell["reported"].is_string() || first == again) return first;
  return again == "-" ? first + ", once" : fmt::format("{}, then {}", first, again);
}

/// Columns with the same text.
struct Group {
  std::string text;
  bool differs;
  std::vector<std::string> columns;
};

std::vector<Group> groups_of(const ShownJson& cells) {
  std::vector<Group> groups;
  for (const auto& [column, cell] : cells.items()) {
    const std::string text = cell_text(cell);
    const bool differs = cell["differs"];
    const auto same = std::ranges::find_if(
        groups, [&](const Group& one) { return one.text == text && one.differs == differs; });
    if (same != groups.end()) {
      same->columns.push_back(column);
    } else {
      groups.push_back({text, differs, {column}});
    }
  }
  return groups;
}

std::string state_text(const ShownJson& state, const TextLayout& layout) {
  using enum TextTable::Align;
  std::string text = layout.paint(string_of(state["name"]), Ink::bold) + '\n';
  text +=
      "  " +
      layout.wrap(fmt::format("{} {}", string_of(state["explanation"]), string_of(state["manual"])),
                  2) +
      '\n';
  TextTable table({left, left, left});
  for (const Group& group : groups_of(state["cells"])) {
    const Ink ink = group.differs ? Ink::bad : Ink::none;
    table.row({{group.differs ? "*" : " "},
               {group.text, ink},
               {fmt::format("{}", fmt::join(group.columns, " "))}});
  }
  table.row({{""}, {"next"}, {join(state["next"], ", ")}});
  return text + table.text(layout);
}

std::string sequence_table(const ShownJson& sequence, const TextLayout& layout) {
  const ShownJson& steps = sequence["steps"];
  TextTable table(std::vector(steps[0]["cells"].size() + 2, TextTable::Align::left));
  std::vector<TextTable::Cell> cells = {{""}, {"STEP"}};
  for (const auto& [column, cell] : steps[0]["cells"].items()) cells.push_back({column});
  table.row(cells);
  for (const ShownJson& step : steps) {
    cells = {{""}, {string_of(step["step"])}};
    for (const ShownJson& cell : step["cells"]) cells.push_back({string_of(cell)});
    table.row(cells);
  }
  return table.text({.width = std::string::npos, .colour = layout.colour});
}

/// Returns a line for each column that this machine lacks.
std::vector<std::string> missing_columns(const ShownJson& atlas) {
  std::vector<std::string> lines;
  for (const char* part : {"state_columns", "sequence_columns"}) {
    for (const ShownJson& column : atlas[part]) {
      if (string_of(column["missing"]).empty()) continue;
      std::string line =
          fmt::format("Without {}: {}.", string_of(column["name"]), string_of(column["missing"]));
      if (std::ranges::count(lines, line) == 0) lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::string heading(const ShownJson& atlas) {
  return fmt::format("Linux {}, libevent {}", string_of(atlas["kernel_release"]),
                     string_of(atlas["libevent"]));
}

std::string markdown_row(const std::vector<std::string>& cells) {
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string markdown_rule(std::size_t columns) {
  return markdown_row(std::vector<std::string>(columns, "---"));
}

std::string states_markdown(const ShownJson& states) {
  std::vector<std::string> cells = {"state"};
  for (const auto& [column, cell] : states[0]["cells"].items()) cells.push_back(column);
  cells.emplace_back("next calls");
  std::string text = markdown_row(cells) + markdown_rule(cells.size());
  for (const ShownJson& state : states) {
    cells = {"**" + string_of(state["name"]) + "**"};
    for (const ShownJson& cell : state["cells"]) {
      cells.push_back(cell["differs"] ? fmt::format("**{}** \\*", cell_text(cell))
                                      : cell_text(cell));
    }
    cells.push_back(join(state["next"], "<br>"));
    text += markdown_row(cells);
  }
  return text;
}

std::string explanations_markdown(const ShownJson& rows) {
  std::string text;
  for (const ShownJson& row : rows) {
    text += fmt::format("- **{}**: {} `{}`\n", string_of(row["name"]),
                        string_of(row["explanation"]), string_of(row["manual"]));
  }
  return text;
}

std::string sequence_markdown(const ShownJson& sequence) {
  std::vector<std::string> cells = {"step"};
  for (const auto& [column, cell] : sequence["steps"][0]["cells"].items()) cells.push_back(column);
  std::string text = markdown_row(cells) + markdown_rule(cells.size());
  for (const ShownJson& step : sequence["steps"]) {
    cells = {string_of(step["step"])};
    for (const ShownJson& cell : step["cells"]) cells.push_back(string_of(cell));
    text += markdown_row(cells);
  }
  return text;
}

}  // namespace

std::string atlas_text(const ShownJson& atlas, const TextLayout& layout) {
  std::string text = heading(atlas) + "\n\n" + layout.wrap(kIntroduction, 0) + "\n";
  for (const std::string& line : missing_columns(atlas)) text += layout.wrap(line, 0) + '\n';
  for (const ShownJson& state : atlas["states"]) text += '\n' + state_text(state, layout);
  for (const ShownJson& sequence : atlas["sequences"]) {
    text += '\n' + layout.paint(string_of(sequence["name"]), Ink::bold) + '\n';
    text += "  " + layout.wrap(fmt::format("{} {}", string_of(sequence["explanation"]),
                                           string_of(sequence["manual"])),
                               2);
    text += '\n' + sequence_table(sequence, layout);
  }
  return text;
}

std::string atlas_markdown(const ShownJson& atlas) {
  std::string text = fmt::format("# What is reported, and when\n\n{}. {}\n\n", heading(atlas),
                                 "Made by `muxlab inspect behaviour --markdown`");
  text += std::string(kIntroduction) + "\n\n";
  for (const std::string& line : missing_columns(atlas)) text += line + "\n\n";
  text += "## States\n\n" + states_markdown(atlas["states"]) + '\n';
  text += explanations_markdown(atlas["states"]) + "\n## Sequences\n";
  for (const ShownJson& sequence : atlas["sequences"]) {
    text += fmt::format("\n### {}\n\n{} `{}`\n\n", string_of(sequence["name"]),
                        string_of(sequence["explanation"]), string_of(sequence["manual"]));
    text += sequence_markdown(sequence);
  }
  return text;
}

}  // namespace muxlab::behaviour
