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

/// A backend, and what became of constructing it and of having a server on it echo.
struct TriedBackend {
  const Backend* backend;
  Availability found;
  bool constructed = false;
  std::string live_echo = "not tried";
};

/// What bounds connections on a machine. What is not known bounds nothing.
struct ConnectionLimits {
  std::uint64_t descriptors;  ///< the hard limit, which server and client raise theirs to
  std::optional<std::uint64_t> nr_open;
  std::optional<std::uint64_t> file_max;
  std::optional<std::uint64_t> ports;  ///< from one address to one port
  std::optional<std::uint64_t> epoll_watches;
  std::optional<std::uint64_t> tcp_pages;
  std::optional<std::uint64_t> memory_bytes;  ///< available
  std::uint64_t socket_bytes;                 ///< of the kernel's objects for one
  ThreadLimit threads;
  std::string memory_set_by = {};         ///< the file of a control group; empty: the machine
  std::optional<double> processors = {};  ///< that the control group allows
};

/// From machine_card(); `own_descriptors` where it does not tell the limit.
ConnectionLimits limits_of(const nlohmann::ordered_json& card, ThreadLimit threads,
                           std::uint64_t own_descriptors);

/// Whether a server and the load client, both on that machine and with one thread each, can have
/// `connections` on each of `backends`: every need against what there is, and the command that
/// would mend it. The part `feasibility` of server/inspect/inspect.schema.json.
nlohmann::ordered_json feasibility(std::uint64_t connections,
                                   std::span<const TriedBackend> backends,
                                   const ConnectionLimits& limits);

/// The same for people.
std::string feasibility_text(const nlohmann::ordered_json& found, const TextLayout& layout);

}  // namespace muxlab
