#include "server/inspect_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "backends/backend.hpp"
#include "backends/descriptor_limit.hpp"
#include "backends/machine.hpp"
#include "cli.hpp"
#include "server/server.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

Json backend_json(const Backend& backend, std::uint64_t descriptor_limit) {
  const Availability found = backend.probe();
  Json models = Json::array();
  Json missing = Json::array();
  for (const ThreadingModel& model : kThreadingModels) {
    const auto reason = why_not(backend, model.threading);
    if (reason.empty()) {
      models.push_back(model.name);
    } else {
      missing.push_back({{"name", model.name}, {"reason", reason}});
    }
  }
  const std::uint64_t most = most_connections(found, descriptor_limit, 1);
  const bool bound = most < most_connections({}, descriptor_limit, 1);
  const std::string reason = found.works ? (bound ? found.bound_reason : "") : found.reason;
  return {{"name", backend.name},
          {"summary", backend.summary},
          {"status", found.works ? "works" : "unavailable"},
          {"reason", reason},
          {"mend", found.mend},
          {"max_connections", most},
          {"descriptors_per_thread", kDescriptorsPerThread},
          {"threading", found.works ? models : Json::array()},
          {"threading_unsupported", missing}};
}

Json inspect() {
  const std::uint64_t descriptor_limit = raise_descriptor_limit();
  Json all = {{"schema_version", 1}, {"backends", Json::array()}, {"controls", Json::array()}};
  for (const Backend* backend : backends()) {
    all["backends"].push_back(backend_json(*backend, descriptor_limit));
  }
  for (const Backend* control : controls()) {
    all["controls"].push_back(backend_json(*control, descriptor_limit));
  }
  all["machine"] = machine_card();
  return all;
}

void print_text(const Json& all) {
  fmt::print("{:<16} {:<12} {:>11}  {}\n", "BACKEND", "STATUS", "CONNECTIONS", "WHAT IT IS");
  for (const Json& backend : all["backends"]) {
    fmt::print("{:<16} {:<12} {:>11}  {}\n", backend["name"].get<std::string>(),
               backend["status"].get<std::string>(),
               backend["max_connections"].get<std::uint64_t>(),
               backend["summary"].get<std::string>());
    for (const char* key : {"reason", "mend"}) {
      const auto text = backend[key].get<std::string>();
      if (!text.empty()) fmt::print("{:<42} {}: {}\n", "", key, text);
    }
    for (const Json& missing : backend["threading_unsupported"]) {
      fmt::print("{:<42} not on {}: {}\n", "", missing["name"].get<std::string>(),
                 missing["reason"].get<std::string>());
    }
  }
  fmt::print("\n{:<16} {}\n", "THREADING", "WHAT IT IS");
  for (const ThreadingModel& model : kThreadingModels) {
    fmt::print("{:<16} {}\n", model.name, model.summary);
  }
}

}  // namespace

void add_inspect(CLI::App& program, ExitCode& exit_code) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App& verb =
      cli::add_verb(program, "inspect", "Show which backends work on this machine, and why not",
                    [as_json, &exit_code] {
                      const Json all = inspect();
                      if (*as_json) {
                        fmt::print("{}\n", all.dump(2));
                      } else {
                        print_text(all);
                      }
                      exit_code = ExitCode::ok;
                    });
  cli::add_flag(verb, "--json", *as_json, "One JSON object on stdout, with the machine");
}

}  // namespace muxlab
