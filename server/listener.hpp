#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backends/unique_fd.hpp"

namespace muxlab {

/// Where a server listens: a TCP address, or a path for AF_UNIX.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;  ///< 0: the kernel picks a free one
  std::optional<std::string> unix_path = std::nullopt;
};

/// A listening socket, non-blocking and close-on-exec; with `shared_port` others may listen on the
/// same port (SO_REUSEPORT). TCP_NODELAY and reno are set, and accepted sockets inherit them. A
/// unix socket that nobody serves any more is replaced. Throws Failure for a busy or impossible
/// address.
UniqueFd listen_on(const ListenAddress& address, bool shared_port);

/// The port that a TCP listener got.
std::uint16_t port_of(int listener);

/// "127.0.0.1:4711", "[::1]:4711" or "unix:/tmp/echo": what a client connects to.
std::string show(const ListenAddress& address);

}  // namespace muxlab
