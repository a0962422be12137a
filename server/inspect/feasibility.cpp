#include "server/inspect/feasibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "backends/parts/descriptor_limit.hpp"
#include "server/inspect/machine.hpp"
#include "server/server.hpp"

namespace muxlab {
namespace {

using Json = nlohmann::ordered_json;
using Count = std::uint64_t;

constexpr Count kNoLimit = std::numeric_limits<Count>::max();

/// The load client uses them in turn when the server is on the loopback device.
constexpr Count kSourceAddresses = 254;

/// The need for one resource: `each` per connection, plus `fixed`.
struct Need {
  std::string name;
  std::string limit;  ///< name of the setting
  Count each;
  Count fixed;
  Count have;
  std::string fix;

  [[nodiscard]] Count needed(Count connections) const { return each * connections + fixed; }
  [[nodiscard]] bool enough(Count connections) const { return needed(connections) <= have; }
  /// Returns the maximum number of connections.
  [[nodiscard]] Count most() const { return have < fixed ? 0 : (have - fixed) / each; }
};

std::string raise_descriptors(Count needed, const ConnectionLimits& limits) {
  std::string command;
  if (limits.nr_open && needed > *limits.nr_open) {
    command = fmt::format("sudo sysctl fs.nr_open={} && ", needed);
  }
  return command + fmt::format("sudo prlimit --pid $$ --nofile={0}:{0}", needed);
}

std::string raise_sysctl(std::string_view name, Count needed) {
  return fmt::format("sudo sysctl {}={}", name, needed);
}

/// Returns the command for all unprivileged ports; empty if even these are too few.
std::string widen_ports(Count connections) {
  constexpr Count kFirst = 1024, kLast = 65535;
  if (connections > (kLast - kFirst + 1) * kSourceAddresses) return "";
  return fmt::format("sudo sysctl net.ipv4.ip_local_port_range=\"{} {}\"", kFirst, kLast);
}

std::string raise_tcp_pages(Count pages) {
  return fmt::format("sudo sysctl net.ipv4.tcp_mem=\"{} {} {}\"", pages / 2, pages * 3 / 4, pages);
}

/// Returns the needs that do not depend on the backend, with the commands for `connections`.
std::vector<Need> needs_of(Count connections, const ConnectionLimits& limits) {
  const Count server = descriptors_beside_connections(1);
  const Count client = kClientDescriptors + 1;
  // The client needs more than the server, so one command is enough for both.
  const std::string more_descriptors = raise_descriptors(connections + client, limits);
  const auto known = [](std::optional<Count> limit) { return limit.value_or(kNoLimit); };
  return {
      {"descriptors of the server", "ulimit -Hn", 1, server, limits.descriptors, more_descriptors},
      {"descriptors of the client", "ulimit -Hn", 1, client, limits.descriptors, more_descriptors},
      {"descriptors of both", "fs.file-max", 2, server + client, known(limits.file_max),
       raise_sysctl("fs.file-max", 2 * connections + server + client)},
      {"ports of the client", "net.ipv4.ip_local_port_range, for each of 254 addresses", 1, 0,
       limits.ports ? *limits.ports * kSourceAddresses : kNoLimit, widen_ports(connections)},
      {"epoll watches of both", "fs.epoll.max_user_watches", 2, 0, known(limits.epoll_watches),
       raise_sysctl("fs.epoll.max_user_watches", 2 * connections)},
      {"pages of TCP buffers", "net.ipv4.tcp_mem, with one on either side", 2, 0,
       known(limits.tcp_pages), raise_tcp_pages(2 * connections)},
  };
}

Need memory_of(const Backend& backend, const ConnectionLimits& limits) {
  return {"memory",
          "",
          2 * limits.socket_bytes + backend.connection_bytes,
          0,
          limits.memory_bytes.value_or(kNoLimit),
          ""};
}

/// Returns the command. The reason begins with the setting: "kernel.pid_max is 32768".
std::string raise_threads(Count connections, const std::string& reason) {
  const std::string name = reason.substr(0, reason.find(' '));
  constexpr Count kPerThread = 2;  // mappings; for other settings, spare room for other processes
  constexpr Count kOwn = 512;
  const Count needed = kPerThread * connections + kOwn;
  if (name == "ulimit") return fmt::format("sudo prlimit --pid $$ --nproc={0}:{0}", needed);
  return name == "pids.max" ? "" : raise_sysctl(name, needed);
}

struct Bound {
  Count most;
  std::string reason, fix;
};

/// Returns all bounds on connections of a working backend.
std::vector<Bound> bounds_of(Count connections, const TriedBackend& tried,
                             const ConnectionLimits& limits, std::span<const Need> needs) {
  std::vector<Bound> bounds;
  for (const Need& need : needs) {
    bounds.push_back({need.most(), fmt::format("{} ({})", need.name, need.limit), need.fix});
  }
  Availability alone = tried.found;
  const bool one_thread_each = alone.max_connections < kNoLimit;
  alone.max_connections = kNoLimit;
  bounds.push_back({most_connections(alone, kNoLimit, 1), alone.bound_reason, ""});
  if (one_thread_each) {
    bounds.push_back({limits.threads.threads,
                      "each connection has a thread, and " + limits.threads.reason,
                      raise_threads(connections, limits.threads.reason)});
  }
  const Need memory = memory_of(*tried.backend, limits);
  bounds.push_back(
      {memory.most(),
       fmt::format("{} bytes of memory are available{}, and a connection takes up to {}",
                   memory.have, limits.memory_set_by.empty() ? "" : " by " + limits.memory_set_by,
                   memory.each),
       ""});
  return bounds;
}

Json verdict_json(Count connections, const TriedBackend& tried, const ConnectionLimits& limits,
                  std::span<const Need> needs) {
  std::vector<Bound> bounds = bounds_of(connections, tried, limits, needs);
  if (!tried.found.works) bounds = {{0, tried.found.reason, tried.found.fix}};
  const Bound& lowest = *std::ranges::min_element(bounds, {}, &Bound::most);
  Json fixes = Json::array();
  for (const Bound& bound : bounds) {
    if (bound.most >= connections || bound.fix.empty()) continue;
    if (std::ranges::count(fixes, Json(bound.fix)) == 0) fixes.push_back(bound.fix);
  }
  return {{"name", tried.backend->name},
          {"possible", connections <= lowest.most},
          {"max_connections", lowest.most},
          {"bound_by", lowest.reason},
          {"memory_bytes", memory_of(*tried.backend, limits).needed(connections)},
          {"fix", fixes}};
}

std::optional<Count> count_of(const Json& value) {
  return value.is_number() ? std::optional(value.get<Count>()) : std::nullopt;
}

Json needs_json(Count connections, std::span<const Need> needs) {
  Json all = Json::array();
  for (const Need& need : needs) {
    const bool enough = need.enough(connections);
    all.push_back({{"name", need.name},
                   {"limit", need.limit},
                   {"need", need.needed(connections)},
                   {"have", need.have == kNoLimit ? Json() : Json(need.have)},
                   {"enough", enough},
                   {"fix", enough ? "" : need.fix}});
  }
  return all;
}

}  // namespace

ConnectionLimits limits_of(const Json& card, ThreadLimit threads, Count own_descriptors) {
  const Json& memory = card["memory_per_socket"];
  const Json& range = card["ip_local_port_range"];
  const Json& pages = memory["all_sockets_low_pressure_high_pages"];
  constexpr Count kOneSocket = 4096;  // typical on 64 bits; only root can read the real value
  ConnectionLimits limits{
      .descriptors = count_of(card["descriptor_limit"]["hard"]).value_or(own_descriptors),
      .nr_open = count_of(card["nr_open"]),
      .file_max = count_of(card["file_max"]),
      .ports = std::nullopt,
      .epoll_watches = count_of(card["epoll_max_user_watches"]),
      .tcp_pages = std::nullopt,
      .memory_bytes = std::nullopt,
      .socket_bytes = count_of(memory["objects_bytes"]).value_or(kOneSocket),
      .threads = std::move(threads)};
  if (!range.is_null() && range[0] <= range[1])
    limits.ports = range[1].get<Count>() - range[0].get<Count>() + 1;
  if (!pages.is_null()) limits.tcp_pages = pages[2].get<Count>();
  if (const auto left = memory_left(card)) {
    limits.memory_bytes = left->bytes;
    limits.memory_set_by = left->set_by;
  }
  const Json& processors = card["control_group"]["processors"];
  if (processors.is_number()) limits.processors = processors.get<double>();
  return limits;
}

Json feasibility(Count connections, std::span<const TriedBackend> backends,
                 const ConnectionLimits& limits) {
  const std::vector<Need> needs = needs_of(connections, limits);
  Json verdicts = Json::array();
  bool all_possible = true;
  for (const TriedBackend& tried : backends) {
    verdicts.push_back(verdict_json(connections, tried, limits, needs));
    all_possible = all_possible && verdicts.back()["possible"];
  }
  return {{"connections", connections},
          {"possible", all_possible},
          {"memory_available_bytes", limits.memory_bytes ? Json(*limits.memory_bytes) : Json()},
          {"memory_set_by", limits.memory_set_by.empty() ? Json() : Json(limits.memory_set_by)},
          {"processors", limits.processors ? Json(*limits.processors) : Json()},
          {"needs", needs_json(connections, needs)},
          {"backends", verdicts}};
}

}  // namespace muxlab
