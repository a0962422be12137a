#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "server/cli/cli.hpp"
#include "server/cli/text_layout.hpp"
#include "server/inspect/feasibility.hpp"

namespace muxlab {
namespace {

using FoundJson = nlohmann::ordered_json;
using Align = TextTable::Align;

std::string word(bool yes) { return yes ? "yes" : "no"; }

std::string count(const FoundJson& value) { return value.is_null() ? "unknown" : value.dump(); }

std::string needs_text(const FoundJson& needs, const TextLayout& layout) {
  TextTable table({Align::left, Align::right, Align::right, Align::left, Align::left});
  table.row({{"WHAT", Ink::bold},
             {"NEEDED", Ink::bold},
             {"THERE ARE", Ink::bold},
             {"ENOUGH", Ink::bold},
             {"SET BY", Ink::bold}});
  for (const FoundJson& need : needs) {
    const bool enough = need["enough"];
    table.row({{need["name"]},
               {count(need["need"])},
               {count(need["have"])},
               {word(enough), enough ? Ink::good : Ink::bad},
               {need["limit"]}});
  }
  return table.text(layout);
}

std::string verdicts_text(const FoundJson& found, const TextLayout& layout) {
  TextTable table({Align::left, Align::left, Align::right, Align::right, Align::left});
  table.row({{"BACKEND", Ink::bold},
             {cli::show_count(found["connections"]), Ink::bold},
             {"AT MOST", Ink::bold},
             {"MEMORY", Ink::bold},
             {"BOUND BY", Ink::bold}});
  for (const FoundJson& backend : found["backends"]) {
    const bool possible = backend["possible"];
    const auto bytes = backend["memory_bytes"].get<std::uint64_t>();
    table.row({{backend["name"]},
               {word(possible), possible ? Ink::good : Ink::bad},
               {backend["max_connections"].dump()},
               {fmt::format("{} MiB", (bytes + (1 << 20) - 1) >> 20)},
               {backend["bound_by"]}});
  }
  return table.text(layout);
}

/// Returns the commands that raise the limits, each once.
std::vector<std::string> commands_of(const FoundJson& backends) {
  std::vector<std::string> commands;
  for (const FoundJson& backend : backends) {
    for (const auto& command : backend["fix"].get<std::vector<std::string>>()) {
      if (std::ranges::count(commands, command) == 0) commands.push_back(command);
    }
  }
  return commands;
}

/// Returns a note on the backends that need more memory than is available; empty without any.
std::string memory_text(const FoundJson& found, const TextLayout& layout) {
  const FoundJson& available = found["memory_available_bytes"];
  std::vector<std::string> names;
  for (const FoundJson& backend : found["backends"]) {
    if (!available.is_null() && backend["memory_bytes"] > available)
      names.push_back(backend["name"]);
  }
  if (names.empty()) return "";
  const bool is_all = names.size() == found["backends"].size();
  const std::string which = is_all ? "they" : fmt::format("{}", fmt::join(names, ", "));
  const std::uint64_t mib = available.get<std::uint64_t>() >> 20;
  const FoundJson& group = found["memory_set_by"];
  const std::string text =
      group.is_null()
          ? fmt::format("No command gives the memory that {} may take: {} MiB are available.",
                        which, mib)
          : fmt::format("The control group leaves {} MiB, less than {} may take: raise {}.", mib,
                        which, group.get<std::string>());
  return '\n' + layout.wrap(text, 0) + '\n';
}

/// Returns a note if the control group allows less than a processor each for server and client.
std::string processors_text(const FoundJson& processors, const TextLayout& layout) {
  constexpr double kBusy = 2;
  if (processors.is_null() || processors.get<double>() >= kBusy) return "";
  return '\n' +
         layout.wrap(fmt::format("The control group allows {:g} processors for server and client "
                                 "together: the kernel stops both when they have used that up.",
                                 processors.get<double>()),
                     0) +
         '\n';
}

}  // namespace

std::string feasibility_text(const FoundJson& found, const TextLayout& layout) {
  std::string all = layout.wrap(
      fmt::format("{} connections, with the server and the load client on this machine, one thread "
                  "each. Memory is the most that they take when no client reads.",
                  cli::show_count(found["connections"])),
      0);
  all += "\n\n" + needs_text(found["needs"], layout) + '\n' + verdicts_text(found, layout);
  const std::vector<std::string> commands = commands_of(found["backends"]);
  if (!commands.empty()) all += "\nTo change it:\n";
  for (const std::string& command : commands) all += "  " + command + '\n';
  return all + memory_text(found, layout) + processors_text(found["processors"], layout);
}

}  // namespace muxlab
