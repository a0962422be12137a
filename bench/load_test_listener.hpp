#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <string>
#include <utility>

#include "backends/failure.hpp"
#include "backends/unique_fd.hpp"

namespace muxlab::test {

inline constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

/// A listening socket, and its address as `muxlab load --connect` takes it.
struct Listener {
  UniqueFd fd;
  std::string address;
};

template <typename Name>
UniqueFd listen_on(int family, Name& name, int backlog) {
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  socklen_t size = sizeof name;
  UniqueFd fd(checked(::socket(family, kSocketFlags, 0), "socket"));
  checked(::bind(fd.get(), generic, size), "bind");
  checked(::listen(fd.get(), backlog), "listen");
  checked(::getsockname(fd.get(), generic, &size), "getsockname");
  return fd;
}

/// On a port that the kernel chooses; `host` is a numeric IPv4 or IPv6 address.
inline Listener listen_tcp(const std::string& host, int backlog) {
  sockaddr_in6 ipv6{};
  if (::inet_pton(AF_INET6, host.c_str(), &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    UniqueFd fd = listen_on(AF_INET6, ipv6, backlog);
    return {std::move(fd), "[" + host + "]:" + std::to_string(ntohs(ipv6.sin6_port))};
  }
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ::inet_pton(AF_INET, host.c_str(), &ipv4.sin_addr);
  UniqueFd fd = listen_on(AF_INET, ipv4, backlog);
  return {std::move(fd), host + ":" + std::to_string(ntohs(ipv4.sin_port))};
}

inline Listener listen_unix(const std::string& path, int backlog) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), name.sun_path);
  return {listen_on(AF_UNIX, name, backlog), "unix:" + path};
}

}  // namespace muxlab::test
