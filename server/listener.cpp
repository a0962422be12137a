#include "server/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "backends/parts/failure.hpp"
#include "backends/parts/own_name.hpp"
#include "server/bind_cure.hpp"

namespace muxlab {
namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn
constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

void enable(int fd, int level, int option) {
  const int on = 1;
  checked(::setsockopt(fd, level, option, &on, sizeof on), "setsockopt");
}

/// Returns the range that the kernel picks ports from, such as "32768-60999".
std::string ports_to_pick_from() {
  int first = 0, last = 0;
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  return range >> first >> last ? fmt::format("{}-{}", first, last) : "the range of free ports";
}

/// Returns why the address is busy, and a hint.
std::string why_busy(const ListenAddress& address) {
  if (address.unix_path) {
    struct stat found {};
    if (::lstat(address.unix_path->c_str(), &found) == 0 && !S_ISSOCK(found.st_mode)) {
      return fmt::format("--unix {} exists and is not a socket: choose another path",
                         *address.unix_path);
    }
    return fmt::format("{} is busy: stop its server or choose another path with --unix",
                       show(address));
  }
  if (address.port == 0) {
    return fmt::format("no port is left in {}: end connections, or choose a port with --port",
                       ports_to_pick_from());
  }
  return fmt::format(
      "{} is busy: stop its server or choose another port with --port (0 finds a free one)",
      show(address));
}

[[noreturn]] void fail_to_listen(const ListenAddress& address, int error) {
  if (error == EADDRINUSE) throw Failure(ExitCode::unavailable, why_busy(address));
  const std::string cure = bind_cure(address, error);
  throw Failure(ExitCode::unavailable, fmt::format("cannot listen on {}: {}{}{}", show(address),
                                                   std::generic_category().message(error),
                                                   cure.empty() ? "" : ": ", cure));
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

[[noreturn]] void fail_to_resolve(const ListenAddress& address, int error) {
  throw Failure(ExitCode::usage, fmt::format("--host {} is not an address of this machine: {}",
                                             address.host, ::gai_strerror(error)));
}

Addresses look_up(const ListenAddress& address, int flags) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV | flags;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (error != 0) fail_to_resolve(address, error);
  return Addresses(list);
}

/// Returns zero, or the errno of a call that depends on the address.
int listen_on_tcp(const ListenAddress& address, bool shared_port, UniqueFd& listener) {
  const Addresses resolved = look_up(address, AI_NUMERICHOST);
  listener.reset(::socket(resolved->ai_family, kSocketFlags, 0));
  if (!listener) return errno;
  enable(listener.get(), SOL_SOCKET, SO_REUSEADDR);  // a restart need not wait for TIME_WAIT
  if (shared_port) enable(listener.get(), SOL_SOCKET, SO_REUSEPORT);
  enable(listener.get(), IPPROTO_TCP, TCP_NODELAY);
  // A congestion control that paces, such as bbr, would be measured along with the backend.
  constexpr std::string_view kPlain = "reno";
  ::setsockopt(listener.get(), IPPROTO_TCP, TCP_CONGESTION, kPlain.data(), kPlain.size());
  if (::bind(listener.get(), resolved->ai_addr, resolved->ai_addrlen) != 0) return errno;
  return ::listen(listener.get(), kBacklog) != 0 ? errno : 0;
}

/// Returns true for the name of a socket that no process has bound any more. Asks with a datagram
/// socket: where a stream socket is bound, listening or not, the kernel refuses with EPROTOTYPE.
bool is_abandoned(const sockaddr_un& name) {
  struct stat status {};
  if (::lstat(name.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd asking(
      checked(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  return ::connect(asking.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 &&
         errno == ECONNREFUSED;
}

/// Removes the name if it is abandoned. A lock on the folder serializes servers that start at once:
/// between the check and the removal, no other server can remove and bind the name.
bool remove_abandoned(const sockaddr_un& name) {
  const std::filesystem::path parent = std::filesystem::path(name.sun_path).parent_path();
  const UniqueFd folder(::open(parent.empty() ? "." : parent.c_str(),
                               O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
  if (!folder || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return false;
  return is_abandoned(name) && ::unlink(name.sun_path) == 0;
}

/// Returns zero or an errno.
int listen_on_unix(const ListenAddress& address, UniqueFd& listener) {
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string& path = *address.unix_path;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    throw Failure(ExitCode::usage, fmt::format("--unix {} has {} bytes: a path has from 1 to {}",
                                               path, path.size(), sizeof name.sun_path - 1));
  }
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  listener.reset(checked(::socket(AF_UNIX, kSocketFlags, 0), "socket"));
  const auto bind = [&] {
    return ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  };
  if (!bind()) {
    if (errno != EADDRINUSE) return errno;
    if (!remove_abandoned(name)) return EADDRINUSE;
    if (!bind()) return errno;
  }
  if (::listen(listener.get(), kBacklog) == 0) return 0;
  const int error = errno;
  ::unlink(name.sun_path);
  return error;
}

}  // namespace

std::vector<ListenAddress> resolve(const ListenAddress& asked) {
  if (asked.unix_path) return {asked};
  ListenAddress address = asked;
  if (const std::string& host = asked.host; host.starts_with('[') && host.ends_with(']')) {
    address.host = host.substr(1, host.size() - 2);  // brackets as in [::1]:4711
  }
  const Addresses list = look_up(address, 0);
  std::vector<ListenAddress> found;
  for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> number{};
    const int error = ::getnameinfo(each->ai_addr, each->ai_addrlen, number.data(), number.size(),
                                    nullptr, 0, NI_NUMERICHOST);
    if (error != 0) fail_to_resolve(address, error);
    found.push_back({.host = number.data(), .port = address.port});
  }
  return found;
}

bool is_open_to_everyone(const ListenAddress& address) {
  return !address.unix_path &&
         (address.host == "0.0.0.0" || address.host == "::" || address.host == "::ffff:0.0.0.0");
}

Listening listen_on_first(std::span<const ListenAddress> addresses, bool shared_port) {
  int first_error = 0;
  for (const ListenAddress& address : addresses) {
    Listening listening{.socket = {}, .address = address};
    const int error = address.unix_path ? listen_on_unix(address, listening.socket)
                                        : listen_on_tcp(address, shared_port, listening.socket);
    if (error == 0) {
      if (!address.unix_path) listening.address.port = port_of(listening.socket.get());
      return listening;
    }
    if (error == EADDRINUSE) fail_to_listen(address, error);
    if (first_error == 0) first_error = error;
  }
  fail_to_listen(addresses.front(), first_error);
}

UniqueFd listen_on(const ListenAddress& address, bool shared_port) {
  return listen_on_first(resolve(address), shared_port).socket;
}

std::uint16_t port_of(int listener) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  checked(::getsockname(listener, reinterpret_cast<sockaddr*>(&name), &size), "getsockname");
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                          : reinterpret_cast<sockaddr_in&>(name).sin_port);
}

std::string show(const ListenAddress& address) {
  if (address.unix_path) return "unix:" + *address.unix_path;
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
              : fmt::format("{}:{}", address.host, address.port);
}

SocketName::SocketName(std::string path)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)) {
  struct stat found {};
  const bool is_socket = ::fstat(file_.get(), &found) == 0 && S_ISSOCK(found.st_mode);
  if (!is_socket) file_.reset();  // another file has replaced it already
}

SocketName::~SocketName() { remove_own_name(path_, file_.get()); }

}  // namespace muxlab
