#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "backends/backend.hpp"
#include "backends/parts/thread_limit.hpp"
#include "server/cli/text_layout.hpp"

namespace muxlab {

/// A backend, with the results of constructing it and of an echo through a server on it.
struct TriedBackend {
  const Backend* backend;
  Availability found;
  bool constructed = false;
  std::string live_echo = "not tried";
};

/// The limits on connections of a machine. An unknown limit counts as no limit.
struct ConnectionLimits {
  std::uint64_t descriptors;  ///< the hard limit; server and client raise their soft limit to it
  std::optional<std::uint64_t> nr_open;
  std::optional<std::uint64_t> file_max;
  std::optional<std::uint64_t> ports;  ///< from one address to one port
  std::optional<std::uint64_t> epoll_watches;
  std::optional<std::uint64_t> tcp_pages;
  std::optional<std::uint64_t> memory_bytes;  ///< available
  std::uint64_t socket_bytes;                 ///< the kernel's objects for one socket
  ThreadLimit threads;
  std::string memory_set_by = {};         ///< the file of a control group; empty: the machine
  std::optional<double> processors = {};  ///< allowed by the control group
};

/// Reads the limits from a machine_card(), with `own_descriptors` if the card has no hard limit.
ConnectionLimits limits_of(const nlohmann::ordered_json& card, ThreadLimit threads,
                           std::uint64_t own_descriptors);

/// Compares the needs of `connections` connections on each of `backends` with the limits. Assumes
/// the server and the load client on that machine, one thread each. Returns each need, its limit
/// and the command that raises it: `feasibility` in server/inspect/inspect.schema.json.
nlohmann::ordered_json feasibility(std::uint64_t connections,
                                   std::span<const TriedBackend> backends,
                                   const ConnectionLimits& limits);

/// Formats the result of feasibility() for a terminal.
std::string feasibility_text(const nlohmann::ordered_json& found, const TextLayout& layout);

}  // namespace muxlab
