#include "server/inspection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "backends/descriptor_limit.hpp"
#include "backends/failure.hpp"
#include "backends/libevent_base.hpp"
#include "backends/machine.hpp"
#include "backends/mechanism_cards.hpp"
#include "server/live_echo.hpp"
#include "server/server.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;

/// It takes milliseconds; a machine that is busy with other things gets time.
constexpr std::chrono::seconds kEchoPatience{10};

/// Everything this program can be built with is required, but a library may lack a method.
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

/// `echo` is null where none was tried.
Json backend_json(const Backend& backend, Availability found, const LiveEcho* echo,
                  std::uint64_t descriptor_limit) {
  const bool constructed = found.works;
  if (echo != nullptr && !echo->passed) {
    found = Availability::never("it can be made, but a server does not echo: " + echo->reason, "");
  }
  const std::uint64_t most = most_connections(found, descriptor_limit, 1);
  const bool own_bound = most < most_connections({}, descriptor_limit, 1);
  const std::string limit = fmt::format("the limit of {} descriptors", descriptor_limit);
  Json entry = {{"name", backend.name},
                {"summary", backend.summary},
                {"status", found.works ? "works" : "unavailable"},
                {"reason", found.works ? (own_bound ? found.bound_reason : "") : found.reason},
                {"mend", found.mend},
                {"compiled_in", is_compiled_in(backend)},
                {"constructed", constructed},
                {"live_echo", echo == nullptr ? "not tried"
                              : echo->passed  ? "passed"
                                              : "failed"},
                {"max_connections", most},
                {"bound_by", !found.works ? ""
                             : own_bound  ? found.bound_reason
                                          : limit},
                {"descriptors_per_thread", kDescriptorsPerThread}};
  add_threading(entry, backend, found.works);
  return entry;
}

Json backends_json(std::span<const Backend* const> chosen, std::uint64_t descriptor_limit) {
  std::vector<Availability> found;
  std::vector<const Backend*> constructed;
  for (const Backend* backend : chosen) {
    found.push_back(backend->probe());
    if (found.back().works) constructed.push_back(backend);
  }
  const std::vector<LiveEcho> echoes = try_live_echoes(constructed, kEchoPatience);
  Json all = Json::array();
  for (std::size_t i = 0, next = 0; i < chosen.size(); ++i) {
    const LiveEcho* const echo = found[i].works ? &echoes[next++] : nullptr;
    all.push_back(backend_json(*chosen[i], found[i], echo, descriptor_limit));
  }
  return all;
}

Json controls_json(std::uint64_t descriptor_limit) {
  Json all = Json::array();
  for (const Backend* control : controls()) {
    all.push_back(backend_json(*control, control->probe(), nullptr, descriptor_limit));
  }
  return all;
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
                                       const std::filesystem::path& root) {
  Json machine = machine_card(root);  // with the soft limit as we found it
  const std::uint64_t descriptor_limit = raise_descriptor_limit();
  return {{"schema_version", 1},
          {"backends", backends_json(chosen, descriptor_limit)},
          {"controls", controls_json(descriptor_limit)},
          {"threading", threading_json()},
          {"epoll", epoll_card()},
          {"io_uring", io_uring_card(root)},
          {"libevent", libevent_card()},
          {"machine", std::move(machine)}};
}

}  // namespace muxlab
