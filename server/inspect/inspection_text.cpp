#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "server/inspect/inspection.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;
using Align = TextTable::Align;

std::string text(const Json& object, const char* key) { return object.at(key).get<std::string>(); }

constexpr const char* kLegend =
    "Built: compiled in; made: constructed here, now; echo: a server on it answered. Without a "
    "reason, the limit of descriptors bounds the connections.";

std::string yes(bool value) { return value ? "yes" : "no"; }

std::string echo_word(const Json& live_echo) {
  if (live_echo == "not tried") return "-";
  return yes(live_echo == "passed");
}

std::string backends_text(const Json& backends, const TextLayout& layout) {
  TextTable table({Align::left, Align::left, Align::left, Align::left, Align::right, Align::left});
  table.row({{"BACKEND", Ink::bold},
             {"BUILT", Ink::bold},
             {"MADE", Ink::bold},
             {"ECHO", Ink::bold},
             {"CONNECTIONS", Ink::bold},
             {"WHAT IT IS", Ink::bold}});
  for (const Json& backend : backends) {
    const bool works = backend["status"] == "works";
    table.row({{text(backend, "name"), works ? Ink::good : Ink::bad},
               {yes(backend["compiled_in"])},
               {yes(backend["constructed"])},
               {echo_word(backend["live_echo"])},
               {backend["max_connections"].dump()},
               {text(backend, "summary")}});
    for (const char* key : {"reason", "fix"}) {
      const std::string said = text(backend, key);
      if (!said.empty()) table.note(fmt::format("{}: {}", key, said), works ? Ink::none : Ink::bad);
    }
  }
  return table.text(layout);
}

/// Returns the backends that do not run on a threading model, by reason.
std::map<std::string, std::vector<std::string>> missing_on(const Json& backends,
                                                           const Json& model) {
  std::map<std::string, std::vector<std::string>> names;
  for (const Json& backend : backends) {
    for (const Json& missing : backend["threading_unsupported"]) {
      if (missing["name"] == model) {
        names[text(missing, "reason")].push_back(text(backend, "name"));
      }
    }
  }
  return names;
}

std::string threading_text(const Json& found, const TextLayout& layout) {
  TextTable table({Align::left, Align::left});
  table.row({{"THREADING", Ink::bold}, {"WHAT IT IS", Ink::bold}});
  for (const Json& model : found["threading"]) {
    table.row({{text(model, "name")}, {text(model, "summary")}});
    for (const auto& [reason, names] : missing_on(found["backends"], model["name"])) {
      table.note(fmt::format("not with {}: {}", fmt::join(names, ", "), reason));
    }
  }
  return table.text(layout);
}

}  // namespace

std::string inspection_text(const Json& found, const TextLayout& layout) {
  std::string all = backends_text(found["backends"], layout);
  all += '\n' + layout.wrap(kLegend, 0) + "\n\n";
  all += threading_text(found, layout) + '\n';
  all += mechanisms_text(found, layout) + '\n';
  all += machine_text(found["machine"], layout);
  return all;
}

std::string inspection_summary(const Json& found) {
  std::vector<std::string> missing;
  std::uint64_t most = 0;
  for (const Json& backend : found["backends"]) {
    most = std::max(most, backend["max_connections"].get<std::uint64_t>());
    if (backend["status"] != "works") missing.push_back(text(backend, "name"));
  }
  const std::size_t all = found["backends"].size();
  const Json& machine = found["machine"];
  return fmt::format(
      "{} of {} backends work{}; at most {} connections; Linux {}, {} processors, io_uring {}, "
      "libevent {}\n",
      all - missing.size(), all,
      missing.empty() ? "" : fmt::format(", not {}", fmt::join(missing, " ")), most,
      show_value(machine["kernel_release"]), show_value(machine["processors_online"]),
      found["io_uring"]["status"] == "works" ? "works" : "does not work",
      text(found["libevent"], "version_library"));
}

}  // namespace muxlab
