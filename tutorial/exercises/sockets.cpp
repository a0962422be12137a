#include "tutorial/exercises/sockets.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/checking.hpp"

namespace muxlab::exercise {
namespace {

constexpr int kFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr int kMinuteMs = 60'000;

/// Bound to an address that the kernel chooses, which is all that `name` but its family says.
UniqueFd listener(const sockaddr* name, socklen_t size) {
  UniqueFd socket(checked(::socket(name->sa_family, kFlags, 0), "socket"));
  checked(::bind(socket.get(), name, size), "bind");
  checked(::listen(socket.get(), SOMAXCONN), "listen");
  return socket;
}

UniqueFd client(const UniqueFd& listener) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  auto* const address = reinterpret_cast<sockaddr*>(&name);
  checked(::getsockname(listener.get(), address, &size), "getsockname");
  UniqueFd socket(checked(::socket(name.ss_family, kFlags, 0), "socket"));
  if (::connect(socket.get(), address, size) == 0) return socket;
  if (errno != EINPROGRESS) throw_errno("connect");
  soon_ready(socket.get(), POLLOUT);
  return socket;
}

}  // namespace

Pair unix_pair() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, kFlags, 0, ends.data()), "socketpair");
  return {.near = UniqueFd(ends[0]), .far = UniqueFd(ends[1])};
}

UniqueFd unix_listener() {
  const sockaddr name{.sa_family = AF_UNIX, .sa_data = {}};
  return listener(&name, sizeof name.sa_family);
}

UniqueFd connect_to(const UniqueFd& unix_listener) { return client(unix_listener); }

UniqueFd tcp_listener() {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listener(reinterpret_cast<const sockaddr*>(&name), sizeof name);
}

UniqueFd tcp_client(const UniqueFd& tcp_listener) { return client(tcp_listener); }

Pair tcp_pair() {
  const UniqueFd door = tcp_listener();
  UniqueFd far = tcp_client(door);
  soon_ready(door.get(), POLLIN);
  UniqueFd near(
      checked(::accept4(door.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC), "accept4"));
  return {.near = std::move(near), .far = std::move(far)};
}

void reset(UniqueFd& socket) {
  const linger abort{.l_onoff = 1, .l_linger = 0};
  checked(::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort), "setsockopt");
  socket.reset();
}

short soon_ready(int fd, short events) {
  pollfd waited{.fd = fd, .events = events, .revents = 0};
  expect(checked(::poll(&waited, 1, kMinuteMs), "poll") == 1, "poll reports the descriptor",
         "it did not within a minute");
  return waited.revents;
}

std::string some_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t i = 0;
  // A prime, so that no part of a buffer's size looks like another.
  for (char& byte : bytes) byte = static_cast<char>(i++ % 251);
  return bytes;
}

std::size_t send_now(const UniqueFd& socket, std::string_view data) {
  std::size_t all = 0;
  while (all < data.size()) {
    const auto rest = data.substr(all);
    const ssize_t sent = ::send(socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) break;
    all += static_cast<std::size_t>(sent);
  }
  return all;
}

std::string receive_now(const UniqueFd& socket, bool* ended) {
  std::string all;
  std::array<char, 65'536> buffer{};
  ssize_t received = 0;
  while ((received = ::recv(socket.get(), buffer.data(), buffer.size(), 0)) > 0) {
    all.append(buffer.data(), static_cast<std::size_t>(received));
  }
  if (ended != nullptr) *ended = received == 0;
  return all;
}

}  // namespace muxlab::exercise
