#include <fmt/format.h>

#include <algorithm>

#include "backends/backend.hpp"
#include "backends/controls/oracle_board.hpp"
#include "backends/parts/descriptor_limit.hpp"
#include "bench/campaign/sliced_plan.hpp"
#include "server/server.hpp"
#include "server/threading.hpp"

namespace muxlab {
namespace {

BackendInfo info_of(const Backend& backend, bool control, std::uint64_t descriptor_limit) {
  const Availability found = probe_or_reason(backend);
  BackendInfo info;
  info.name = backend.name;
  info.control = control;
  info.works = found.works;
  info.is_told = is_oracle(backend);
  info.max_connections = most_connections(found, descriptor_limit, 1);
  info.reason = found.works ? own_bound_of(found, descriptor_limit) : found.reason;
  info.fix = found.fix;
  info.descriptors_per_thread = kDescriptorsPerThread;
  for (const ThreadingModel& model : kThreadingModels) {
    if (why_not(backend, model.threading).empty()) info.threading.emplace_back(model.name);
  }
  return info;
}

/// Returns the options that `load --oracle` rejects, as check_oracle() there does.
std::string why_not_told(const Cell& cell) {
  if (cell.rate_per_s > 0) return "--rate";
  if (cell.churn > 0) return "--churn";
  if (cell.unix_sockets) return "--unix";
  if (cell.engine == "io-uring") return "--engine io-uring";
  if (cell.depth > 1) return "--depth";
  if (cell.size_bytes > kBufferSize) return fmt::format("--size above {}", kBufferSize);
  return "";
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

std::vector<BackendInfo> probe_backends() {
  const std::uint64_t limit = raise_descriptor_limit();
  std::vector<BackendInfo> known;
  for (const Backend* backend : backends()) known.push_back(info_of(*backend, false, limit));
  for (const Backend* backend : controls()) known.push_back(info_of(*backend, true, limit));
  return known;
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
                    fmt::format("{} does not work here: {}; {}", name, info.reason, info.fix));
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

std::optional<Obstacle> why_unsupported(const BackendInfo& backend, const Cell& cell) {
  const std::uint64_t connections = cell.connections + cell.idle;
  const std::uint64_t for_threads = backend.descriptors_per_thread * (cell.threads - 1);
  if (backend.max_connections && connections + for_threads > *backend.max_connections) {
    return Obstacle{
        fmt::format("{} takes at most {} connections here: {}", backend.name,
                    *backend.max_connections - std::min(for_threads, *backend.max_connections),
                    backend.reason.empty() ? "raise the limit of descriptors with ulimit -n"
                                           : backend.reason),
        ExitCode::unavailable};
  }
  const auto& models = backend.threading;
  if (std::find(models.begin(), models.end(), cell.threading) == models.end()) {
    return Obstacle{fmt::format("{} does not do --threading {}", backend.name, cell.threading),
                    ExitCode::usage};
  }
  if (backend.is_told) {
    if (const std::string reason = why_not_told(cell); !reason.empty()) {
      return Obstacle{fmt::format("{}'s client reports one message at a time to it on connections "
                                  "that stay: leave out {}",
                                  backend.name, reason),
                      ExitCode::usage};
    }
  }
  return std::nullopt;
}

}  // namespace muxlab
