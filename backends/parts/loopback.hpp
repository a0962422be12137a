#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace muxlab {

/// A socket address with its length.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

/// An address of the loopback device of this network namespace.
struct Loopback {
  std::string host;  ///< "127.0.0.1" or "::1"

  [[nodiscard]] SocketAddress at(std::uint16_t port) const;
};

/// Returns 127.0.0.1 or, if no connection to it can be made, ::1. Finds out once, by connecting.
/// Throws Failure (unavailable) that names the loopback device if neither works, and
/// std::system_error if no socket can be made. Thread: any.
const Loopback& loopback();

}  // namespace muxlab
