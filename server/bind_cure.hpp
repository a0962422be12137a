#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <string>

#include "server/listener.hpp"

namespace muxlab {

/// Returns a hint after bind(2) or listen(2) has failed with `error`; empty where the error text is
/// enough. Does not handle EADDRINUSE: the caller knows whether a server holds the address.
inline std::string bind_cure(const ListenAddress& address, int error) {
  const bool is_unix = address.unix_path.has_value();
  switch (error) {
    case EACCES:
      if (is_unix) return "choose a folder with --unix that this user may write to";
      return fmt::format(
          "choose a higher --port, or allow this one with sudo sysctl "
          "net.ipv4.ip_unprivileged_port_start={}",
          address.port);
    case EADDRNOTAVAIL:
      return "choose an address of this machine with --host: ip address lists them";
    case ENOENT:
    case ENOTDIR:
      return is_unix ? "choose a folder with --unix that exists" : "";
    case EROFS:
      return "choose a folder with --unix that can be written to";
    case EPERM:
      return is_unix ? "choose a file system with --unix that has sockets"
                     : "a security policy forbids it: choose another --port";
    default:
      return "";
  }
}

}  // namespace muxlab
