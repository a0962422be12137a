#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// The address that a server listens on: TCP, or a path for AF_UNIX.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;  ///< 0: the kernel picks a free port
  std::optional<std::string> unix_path = std::nullopt;
};

/// Returns the numeric addresses of a host name, in the order to try them; a unix path unchanged.
/// May wait for a name server. Throws Failure (usage) when the name has no address.
std::vector<ListenAddress> resolve(const ListenAddress& address);

/// Returns true for 0.0.0.0 and ::, as resolve() writes them: every interface of the machine.
bool is_open_to_everyone(const ListenAddress& address);

/// A listening socket and its address, with the port that the kernel assigned.
struct Listening {
  UniqueFd socket;
  ListenAddress address;
};

/// Listens on the first of `addresses`, from resolve(), that works. A busy address ends the search,
/// because clients that try the same addresses would reach the other server.
///
/// The socket is non-blocking and close-on-exec. With `shared_port`, other sockets may listen on
/// the same port (SO_REUSEPORT). Accepted sockets inherit TCP_NODELAY and, where the kernel has it,
/// reno. A unix socket name that no process has bound any more is replaced. Throws Failure for a
/// busy or unusable address.
Listening listen_on_first(std::span<const ListenAddress> addresses, bool shared_port);

/// Calls resolve() and listen_on_first().
UniqueFd listen_on(const ListenAddress& address, bool shared_port);

/// Returns the port of a TCP listener.
std::uint16_t port_of(int listener);

/// Returns the address for clients: "127.0.0.1:4711", "[::1]:4711" or "unix:/tmp/echo".
std::string show(const ListenAddress& address);

/// Owns the name of a unix socket that this process has bound. Removes the name at the end, unless
/// it belongs to another file by then.
class SocketName {
 public:
  /// Requires: bind(2) has just succeeded.
  explicit SocketName(std::string path);
  SocketName(const SocketName&) = delete;
  SocketName& operator=(const SocketName&) = delete;
  ~SocketName();

 private:
  std::string path_;
  UniqueFd file_;  ///< O_PATH: while open, no other file gets its inode number
};

}  // namespace muxlab
