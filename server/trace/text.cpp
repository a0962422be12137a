#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "server/trace/lines.hpp"
#include "server/trace/trace.hpp"

namespace muxlab::trace {
namespace {

/// The results of longer calls are not aligned.
constexpr std::size_t kWidestCall = 46;
/// On narrower terminals no result is aligned.
constexpr std::size_t kWidthToAlign = 80;

std::size_t widest_call(const std::vector<Turn>& turns) {
  std::size_t widest = 0;
  for (const Turn& turn : turns) {
    for (const Line& line : turn.calls) {
      if (line.call.size() <= kWidestCall) widest = std::max(widest, line.call.size());
    }
  }
  return widest;
}

std::string descriptors_text(const Trace& trace) {
  std::string text;
  for (const auto& [name, fd] : trace.descriptors) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, fd);
  }
  return text;
}

}  // namespace

std::string trace_text(const Trace& trace, const TextLayout& layout) {
  using enum TextTable::Align;
  const std::vector<Turn> turns = turns_of(trace);
  const std::size_t width = layout.width < kWidthToAlign ? 0 : widest_call(turns);
  TextTable table({right, left, left});
  table.row({{"us"}, {"WHO"}, {trace.backend}});
  for (const Turn& turn : turns) {
    if (!turn.steps.empty()) table.row({{""}, {""}, {""}});
    for (const Line& line : turn.steps) {
      table.row({{line.time_us}, {line.actor, Ink::bold}, {line.call, Ink::bold}});
    }
    for (const Line& line : turn.calls) {
      table.row({{line.time_us}, {line.actor}, {text_of(line, width)}});
      for (const std::string& below : line.below) table.note(below);
    }
  }
  const std::string descriptors = "descriptors: " + descriptors_text(trace);
  return fmt::format("{}\n{}\n{}\n", table.text(layout), layout.wrap(calls_text(trace), 0),
                     layout.wrap(descriptors, 0));
}

}  // namespace muxlab::trace
