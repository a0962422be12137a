#include "backends/parts/loopback.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

/// Returns 0, or the error of a listener there or of a connection to it.
int error_at(const Loopback& loopback) {
  SocketAddress address = loopback.at(0);
  const auto make = [&] {
    return UniqueFd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  };
  const UniqueFd listener = make();
  if (!listener || ::bind(listener.get(), address.get(), address.size) != 0 ||
      ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), address.get(), &address.size) != 0) {
    return errno;
  }
  const UniqueFd client = make();
  if (!client) return errno;
  const bool connects = ::connect(client.get(), address.get(), address.size) == 0;
  return connects || errno == EINPROGRESS ? 0 : errno;
}

/// Returns false for other errors, such as those about descriptors and permissions.
bool is_about_the_address(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == ENETUNREACH ||
         error == EHOSTUNREACH || error == ENETDOWN;
}

Loopback find_loopback() {
  const Loopback ipv4{"127.0.0.1"}, ipv6{"::1"};
  const int error = error_at(ipv4);
  if (error == 0) return ipv4;
  if (error_at(ipv6) == 0) return ipv6;
  if (!is_about_the_address(error))
    throw std::system_error(error, std::system_category(), "socket");
  throw Failure(ExitCode::unavailable,
                fmt::format("the loopback device has neither 127.0.0.1 nor ::1 ({}): set it up "
                            "with ip link set lo up",
                            std::system_category().message(error)));
}

}  // namespace

SocketAddress Loopback::at(std::uint16_t port) const {
  SocketAddress address;
  if (host.find(':') != std::string::npos) {
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_port = htons(port);
    name.sin6_addr = in6addr_loopback;
    std::memcpy(&address.storage, &name, sizeof name);
    address.size = sizeof name;
  } else {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&address.storage, &name, sizeof name);
    address.size = sizeof name;
  }
  return address;
}

const Loopback& loopback() {
  static const Loopback found = find_loopback();  // tried again if it has thrown
  return found;
}

}  // namespace muxlab
