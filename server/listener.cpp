#include "server/listener.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include "backends/failure.hpp"
#include "server/bind_cure.hpp"

namespace muxlab {
namespace {

constexpr int kBacklog = 4096;  // the kernel takes net.core.somaxconn when that is less
constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

void enable(int fd, int level, int option) {
  const int on = 1;
  checked(::setsockopt(fd, level, option, &on, sizeof on), "setsockopt");
}

[[noreturn]] void fail_to_bind(const ListenAddress& address, int error) {
  if (error == EADDRINUSE) {
    throw Failure(ExitCode::unavailable,
                  fmt::format("{} is busy: stop its server or choose another {}", show(address),
                              address.unix_path ? "path with --unix"
                                                : "port with --port (0 finds a free one)"));
  }
  const std::string cure = bind_cure(address, error);
  throw Failure(ExitCode::unavailable, fmt::format("cannot listen on {}: {}{}{}", show(address),
                                                   std::generic_category().message(error),
                                                   cure.empty() ? "" : ": ", cure));
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses resolve(const ListenAddress& address) {
  const addrinfo hints{.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                       .ai_family = AF_UNSPEC,
                       .ai_socktype = SOCK_STREAM,
                       .ai_protocol = 0,
                       .ai_addrlen = 0,
                       .ai_addr = nullptr,
                       .ai_canonname = nullptr,
                       .ai_next = nullptr};
  addrinfo* list = nullptr;
  const int error =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (error != 0) {
    throw Failure(ExitCode::usage, fmt::format("--host {} is not an address of this machine: {}",
                                               address.host, ::gai_strerror(error)));
  }
  return Addresses(list);
}

UniqueFd bound_tcp(const ListenAddress& address, const addrinfo& resolved, bool shared_port) {
  UniqueFd listener(checked(::socket(resolved.ai_family, kSocketFlags, 0), "socket"));
  enable(listener.get(), SOL_SOCKET, SO_REUSEADDR);  // a restart need not wait for TIME_WAIT
  if (shared_port) enable(listener.get(), SOL_SOCKET, SO_REUSEPORT);
  enable(listener.get(), IPPROTO_TCP, TCP_NODELAY);
  // A congestion control that paces, such as bbr, would be measured along with the backend.
  constexpr std::string_view kPlain = "reno";
  ::setsockopt(listener.get(), IPPROTO_TCP, TCP_CONGESTION, kPlain.data(), kPlain.size());
  if (::bind(listener.get(), resolved.ai_addr, resolved.ai_addrlen) != 0) {
    fail_to_bind(address, errno);
  }
  return listener;
}

bool is_abandoned(const sockaddr_un& name) {
  struct stat status {};
  if (::lstat(name.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd client(checked(::socket(AF_UNIX, kSocketFlags, 0), "socket"));
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 &&
         errno == ECONNREFUSED;
}

UniqueFd bound_unix(const ListenAddress& address) {
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string& path = *address.unix_path;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    throw Failure(ExitCode::usage, fmt::format("--unix {} has {} bytes: a path has from 1 to {}",
                                               path, path.size(), sizeof name.sun_path - 1));
  }
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  UniqueFd listener(checked(::socket(AF_UNIX, kSocketFlags, 0), "socket"));
  const auto bind = [&] {
    return ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0;
  };
  if (bind()) return listener;
  if (errno != EADDRINUSE || !is_abandoned(name)) fail_to_bind(address, errno);
  ::unlink(name.sun_path);
  if (!bind()) fail_to_bind(address, errno);
  return listener;
}

}  // namespace

UniqueFd listen_on(const ListenAddress& address, bool shared_port) {
  UniqueFd listener;
  if (address.unix_path) {
    listener = bound_unix(address);
  } else {
    listener = bound_tcp(address, *resolve(address), shared_port);
  }
  if (::listen(listener.get(), kBacklog) != 0) fail_to_bind(address, errno);
  return listener;
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

}  // namespace muxlab
