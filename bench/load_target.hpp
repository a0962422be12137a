#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace muxlab {

/// A server's address, ready for connect(2), and how the user wrote it.
struct LoadTarget {
  std::string text;
  sockaddr_storage address{};
  socklen_t address_size = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  [[nodiscard]] bool is_tcp() const { return address.ss_family != AF_UNIX; }
  /// Whether it is in 127.0.0.0/8, where every address is this machine's own.
  [[nodiscard]] bool is_ipv4_loopback() const;
};

/// Reads "HOST:PORT", "[IPV6]:PORT" or "unix:PATH". A name with several addresses gives an IPv4 one
/// if there is one. Throws Failure: `usage` when it is none of these, `unavailable` when the name
/// is not known.
LoadTarget resolve_target(std::string_view text);

}  // namespace muxlab
