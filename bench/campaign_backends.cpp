#include "bench/campaign_backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "backends/failure.hpp"
#include "bench/process.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

BackendInfo read_backend(const Json& entry, bool control) {
  BackendInfo info;
  info.name = entry.at("name").get<std::string>();
  info.control = control;
  info.works = entry.at("status") == "works";
  info.reason = text(entry, "reason");
  info.mend = text(entry, "mend");
  const Json& most = entry.at("max_connections");
  if (!most.is_null()) info.max_connections = most.get<std::uint64_t>();
  info.descriptors_per_thread = entry.value("descriptors_per_thread", std::uint64_t{0});
  info.threading = entry.at("threading").get<std::vector<std::string>>();
  return info;
}

}  // namespace

const BackendInfo& find_backend(std::span<const BackendInfo> known, const std::string& name) {
  const auto found = std::find_if(known.begin(), known.end(),
                                  [&](const BackendInfo& info) { return info.name == name; });
  if (found != known.end()) return *found;
  std::string names;
  for (const BackendInfo& info : known) names += fmt::format(" {}", info.name);
  throw Failure(ExitCode::usage,
                fmt::format("--backends: no backend \"{}\"; there are:{}", name, names));
}

std::vector<BackendInfo> inspect_backends(const std::filesystem::path& program) {
  Process inspect(Command{{program, "inspect", "--json"}, {}, {}});
  const auto ended = [&] { return inspect.exit_code().has_value(); };
  wait_for(inspect, -1, Clock::now() + std::chrono::seconds(30), ended);
  if (inspect.exit_code() != 0) {
    throw Failure(ExitCode::failed,
                  fmt::format("muxlab inspect --json did not answer: {}", inspect.last_words()));
  }
  try {
    const Json answer = Json::parse(inspect.output().text());
    std::vector<BackendInfo> known;
    for (const Json& entry : answer.at("backends")) known.push_back(read_backend(entry, false));
    for (const Json& entry : answer.value("controls", Json::array())) {
      known.push_back(read_backend(entry, true));
    }
    return known;
  } catch (const Json::exception& error) {
    throw Failure(ExitCode::failed,
                  fmt::format("muxlab inspect --json is of another schema: {}", error.what()));
  }
}

std::vector<BackendInfo> choose_backends(std::span<const BackendInfo> known,
                                         std::span<const std::string> wanted) {
  std::vector<BackendInfo> chosen;
  if (wanted.empty()) {
    std::copy_if(known.begin(), known.end(), std::back_inserter(chosen),
                 [](const BackendInfo& info) { return info.works && !info.control; });
  }
  for (const std::string& name : wanted) {
    const BackendInfo& info = find_backend(known, name);
    if (!info.works) {
      throw Failure(ExitCode::unavailable,
                    fmt::format("{} does not work here: {}; {}", name, info.reason, info.mend));
    }
    if (std::count(wanted.begin(), wanted.end(), name) > 1) {
      throw Failure(ExitCode::usage, fmt::format("--backends names {} twice", name));
    }
    chosen.push_back(info);
  }
  if (chosen.empty()) {
    throw Failure(ExitCode::unavailable, "no backend works here; muxlab inspect says why");
  }
  return chosen;
}

std::optional<std::string> why_unsupported(const BackendInfo& backend, const Cell& cell) {
  const std::uint64_t connections = cell.connections + cell.idle;
  const std::uint64_t for_threads = backend.descriptors_per_thread * (cell.threads - 1);
  if (backend.max_connections && connections + for_threads > *backend.max_connections) {
    return fmt::format("{} takes at most {} connections here{}{}", backend.name,
                       *backend.max_connections - std::min(for_threads, *backend.max_connections),
                       backend.reason.empty() ? "" : ": ", backend.reason);
  }
  const auto& models = backend.threading;
  if (std::find(models.begin(), models.end(), cell.threading) == models.end()) {
    return fmt::format("{} does not do --threading {}", backend.name, cell.threading);
  }
  return std::nullopt;
}

}  // namespace muxlab
