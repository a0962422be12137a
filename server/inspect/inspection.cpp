#include "server/inspect/inspection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "backends/libevent_base.hpp"
#include "backends/parts/descriptor_limit.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/loopback.hpp"
#include "backends/parts/thread_limit.hpp"
#include "server/inspect/feasibility.hpp"
#include "server/inspect/live_echo.hpp"
#include "server/inspect/machine.hpp"
#include "server/inspect/mechanism_cards.hpp"
#include "server/server.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

/// An echo takes milliseconds; a busy machine may need seconds.
constexpr std::chrono::seconds kEchoPatience{10};

/// The build requires every library, but libevent may lack a method.
bool is_compiled_in(const Backend& backend) {
  constexpr std::string_view kPrefix = "libevent-";
  if (!backend.name.starts_with(kPrefix)) return true;
  return std::ranges::count(libevent::methods(), backend.name.substr(kPrefix.size())) > 0;
}

void add_threading(Json& entry, const Backend& backend, bool works) {
  entry["threading"] = Json::array();
  entry["threading_unsupported"] = Json::array();
  for (const ThreadingModel& model : kThreadingModels) {
    const auto reason = why_not(backend, model.threading);
    if (!reason.empty()) {
      entry["threading_unsupported"].push_back({{"name", model.name}, {"reason", reason}});
    } else if (works) {
      entry["threading"].push_back(model.name);
    }
  }
}

Json backend_json(const TriedBackend& tried, std::uint64_t descriptor_limit) {
  const Backend& backend = *tried.backend;
  const Availability& found = tried.found;
  const std::uint64_t most = most_connections(found, descriptor_limit, 1);
  const std::string own_bound = own_bound_of(found, descriptor_limit);
  const std::string limit = fmt::format("the limit of {} descriptors", descriptor_limit);
  Json entry = {{"name", backend.name},
                {"summary", backend.summary},
                {"status", found.works ? "works" : "unavailable"},
                {"reason", found.works ? own_bound : found.reason},
                {"fix", found.fix},
                {"compiled_in", is_compiled_in(backend)},
                {"constructed", tried.constructed},
                {"live_echo", tried.live_echo},
                {"max_connections", most},
                {"bound_by", !found.works        ? ""
                             : own_bound.empty() ? limit
                                                 : own_bound},
                {"descriptors_per_thread", kDescriptorsPerThread}};
  add_threading(entry, backend, found.works);
  return entry;
}

std::vector<TriedBackend> construct(std::span<const Backend* const> chosen) {
  std::vector<TriedBackend> all;
  for (const Backend* backend : chosen) {
    all.push_back({.backend = backend, .found = probe_or_reason(*backend)});
    all.back().constructed = all.back().found.works;
  }
  return all;
}

void try_echoes(std::span<TriedBackend> all) {
  std::vector<const Backend*> constructed;
  for (const TriedBackend& tried : all) {
    if (tried.constructed) constructed.push_back(tried.backend);
  }
  const std::vector<LiveEcho> echoes = try_live_echoes(constructed, kEchoPatience);
  auto echo = echoes.begin();
  for (TriedBackend& tried : all) {
    if (!tried.constructed) continue;
    tried.live_echo = echo->passed ? "passed" : "failed";
    if (!echo->passed) {
      tried.found =
          Availability::never("it can be made, but a server does not echo: " + echo->reason, "");
    }
    ++echo;
  }
}

Json backends_json(std::span<const TriedBackend> all, std::uint64_t descriptor_limit) {
  Json json = Json::array();
  for (const TriedBackend& tried : all) json.push_back(backend_json(tried, descriptor_limit));
  return json;
}

/// Copies each `fix` below `json` to the key `mend`, its deprecated name, until version 0.3.
void add_deprecated_keys(Json& json) {
  for (Json& inner : json) {
    if (inner.is_structured()) add_deprecated_keys(inner);
  }
  if (!json.is_object() || !json.contains("fix")) return;
  const Json fix = json["fix"];  // a copy, because the new key may move the old one
  json["mend"] = fix;
}

Json threading_json() {
  Json all = Json::array();
  for (const ThreadingModel& model : kThreadingModels) {
    all.push_back({{"name", model.name}, {"summary", model.summary}});
  }
  return all;
}

}  // namespace

std::vector<const Backend*> backends_named(std::span<const std::string> names) {
  if (names.empty()) return {backends().begin(), backends().end()};
  std::vector<const Backend*> chosen;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(backends(), name, &Backend::name);
    if (found == backends().end()) {
      std::vector<std::string_view> known;
      for (const Backend* backend : backends()) known.push_back(backend->name);
      throw Failure(ExitCode::usage, fmt::format("--backends: no backend \"{}\"; there are: {}",
                                                 name, fmt::join(known, " ")));
    }
    if (std::ranges::count(chosen, *found) > 0) {
      throw Failure(ExitCode::usage, fmt::format("--backends names {} twice", name));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

nlohmann::ordered_json inspect_machine(std::span<const Backend* const> chosen,
                                       const std::filesystem::path& root,
                                       std::optional<std::uint64_t> connections) {
  loopback();                         // throws without a loopback address
  Json machine = machine_card(root);  // before the soft limit is raised
  const std::uint64_t descriptor_limit = raise_descriptor_limit();
  std::vector<TriedBackend> tried = construct(chosen);
  try_echoes(tried);
  Json all = {{"schema_version", 1},
              {"backends", backends_json(tried, descriptor_limit)},
              {"controls", backends_json(construct(controls()), descriptor_limit)},
              {"threading", threading_json()},
              {"epoll", epoll_card()},
              {"io_uring", io_uring_card(root)},
              {"libevent", libevent_card()}};
  if (connections) {
    all["feasibility"] =
        feasibility(*connections, tried, limits_of(machine, thread_limit(root), descriptor_limit));
  }
  all["machine"] = std::move(machine);
  add_deprecated_keys(all);
  return all;
}

}  // namespace muxlab
