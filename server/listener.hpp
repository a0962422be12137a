#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Where a server listens: a TCP address, or a path for AF_UNIX.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;  ///< 0: the kernel picks a free one
  std::optional<std::string> unix_path = std::nullopt;
};

/// The addresses that a host's name has, each as a number, in the order to try them; a unix path is
/// its own. May wait for a name server. Throws Failure (usage) for a name without one.
std::vector<ListenAddress> resolve(const ListenAddress& address);

/// True for 0.0.0.0 and ::, as resolve() gives them: every interface of the machine.
bool is_open_to_everyone(const ListenAddress& address);

/// A listening socket, and where it listens, with the port that it got.
struct Listening {
  UniqueFd socket;
  ListenAddress address;
};

/// Listens on the first of `addresses`, as resolve() gives them, that this machine has. A busy one
/// ends the search: clients that try the same addresses would meet the other server.
///
/// The socket is non-blocking and close-on-exec; with `shared_port` others may listen on the same
/// port (SO_REUSEPORT). TCP_NODELAY and reno are set, and accepted sockets inherit them. A unix
/// socket that no process has any more is replaced; one that is bound is not, listening or not.
/// Throws Failure for a busy or impossible address.
Listening listen_on_first(std::span<const ListenAddress> addresses, bool shared_port);

/// resolve() and listen_on_first().
UniqueFd listen_on(const ListenAddress& address, bool shared_port);

/// The port that a TCP listener got.
std::uint16_t port_of(int listener);

/// "127.0.0.1:4711", "[::1]:4711" or "unix:/tmp/echo": what a client connects to.
std::string show(const ListenAddress& address);

/// The name of a unix socket that this process has bound; removed at the end, while it is still the
/// name of that socket.
class SocketName {
 public:
  /// To be made right after bind(2).
  explicit SocketName(std::string path);
  SocketName(const SocketName&) = delete;
  SocketName& operator=(const SocketName&) = delete;
  ~SocketName();

 private:
  std::string path_;
  UniqueFd file_;  ///< O_PATH: as long as it is open, no other file has its inode number
};

}  // namespace muxlab
