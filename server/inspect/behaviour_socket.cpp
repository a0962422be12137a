#include "server/inspect/behaviour_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "backends/parts/loopback.hpp"

namespace muxlab::behaviour {
namespace {

/// A small send buffer, so that it is full at once. The receive buffer has room for all bytes that
/// the peer sends before the window closes. Bytes without room would be resent, but late.
constexpr int kSendBuffer = 4096;
constexpr int kReceiveBuffer = 4 * kSendBuffer;

void set(int fd, int level, int option, int value) {
  checked(::setsockopt(fd, level, option, &value, sizeof value), "setsockopt");
}

UniqueFd tcp_socket() {
  const int family = loopback().at(0).family();
  UniqueFd fd(checked(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  set(fd.get(), SOL_SOCKET, SO_SNDBUF, kSendBuffer);
  set(fd.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  constexpr char kReno[] = "reno";  // others may pace their packets with timers
  checked(::setsockopt(fd.get(), IPPROTO_TCP, TCP_CONGESTION, kReno, sizeof kReno - 1),
          "setsockopt");
  return fd;
}

SocketAddress name_of(int fd) {
  SocketAddress name;
  checked(::getsockname(fd, name.get(), &name.size), "getsockname");
  return name;
}

int unread_bytes(int fd) {
  int bytes = 0;
  checked(::ioctl(fd, FIONREAD, &bytes), "FIONREAD");
  return bytes;
}

/// Returns whether all sent bytes are acknowledged and the peer has no room for the rest.
bool is_stuck(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  checked(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
  int unsent = 0;
  checked(::ioctl(fd, SIOCOUTQNSD, &unsent), "SIOCOUTQNSD");
  return info.tcpi_unacked == 0 && unsent > 0;
}

}  // namespace

UniqueFd bind_tcp() {
  UniqueFd fd = tcp_socket();
  const SocketAddress name = loopback().at(0);
  checked(::bind(fd.get(), name.get(), name.size), "bind");
  return fd;
}

UniqueFd listen_tcp() {
  UniqueFd fd = bind_tcp();
  checked(::listen(fd.get(), 8), "listen");
  return fd;
}

UniqueFd begin_connect(int to_port_of) {
  UniqueFd fd = tcp_socket();
  const SocketAddress name = name_of(to_port_of);
  const int result = ::connect(fd.get(), name.get(), name.size);
  if (result < 0 && errno != EINPROGRESS) throw_errno("connect");
  return fd;
}

TcpPair connect_tcp() {
  const UniqueFd listener = listen_tcp();
  UniqueFd theirs = begin_connect(listener.get());
  UniqueFd ours;
  await("a connection to accept", [&] {
    ours.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!ours && errno != EAGAIN) throw_errno("accept4");
    return bool{ours};
  });
  await_tcp_state(theirs.get(), TCP_ESTABLISHED);
  return {std::move(ours), std::move(theirs)};
}

void peer_sends(const TcpPair& pair, std::size_t bytes) {
  const std::string data(bytes, '?');
  const int before = unread_bytes(pair.ours.get());
  const ssize_t sent = ::send(pair.theirs.get(), data.data(), data.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes)) throw_errno("send");
  await("data", [&] { return unread_bytes(pair.ours.get()) == before + static_cast<int>(bytes); });
}

void peer_ends(const TcpPair& pair) {
  end_sending(pair.theirs.get());
  await_tcp_state(pair.ours.get(), TCP_CLOSE_WAIT);
}

void peer_resets(TcpPair& pair) {
  reset(pair.theirs);
  await_tcp_state(pair.ours.get(), TCP_CLOSE);
}

void end_sending(int fd) { checked(::shutdown(fd, SHUT_WR), "shutdown"); }

void fill(const TcpPair& pair) {
  const int fd = pair.ours.get();
  const std::string data(kSendBuffer, '?');
  await("a full buffer", [&] {
    while (::send(fd, data.data(), data.size(), MSG_NOSIGNAL) > 0) {
    }
    set(pair.theirs.get(), IPPROTO_TCP, TCP_QUICKACK, 1);  // sends a delayed ACK now; not permanent
    return is_stuck(fd) && ::send(fd, data.data(), 1, MSG_NOSIGNAL) < 0;
  });
}

int tcp_state(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  checked(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
  return info.tcpi_state;
}

void await_tcp_state(int fd, int state) {
  await(fmt::format("TCP state {}", state), [&] { return tcp_state(fd) == state; });
}

void await_event(int fd, short event) {
  await("an event", [&] {
    pollfd watched{.fd = fd, .events = event, .revents = 0};
    return ::poll(&watched, 1, 0) == 1 && (watched.revents & event) != 0;
  });
}

void reset(UniqueFd& fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  checked(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "setsockopt");
  fd.reset();
}

/// A processor handles its loopback packets in the order in which they were sent.
void settle() { connect_tcp(); }

void give_up_waiting(std::string_view what) {
  throw Failure(ExitCode::failed, fmt::format("the kernel did not come to {} within 10 s", what));
}

bool pause(int& pauses) {
  constexpr std::chrono::microseconds kPause{100};
  constexpr int kMost = 100'000;
  if (++pauses > kMost) return false;
  std::this_thread::sleep_for(kPause);
  return true;
}

std::string error_name(int error) {
  const char* const name = ::strerrorname_np(error);
  return name != nullptr ? name : fmt::format("error {}", error);
}

std::string show_received(ssize_t result) {
  if (result < 0) return error_name(errno);
  if (result == 0) return "0 bytes: the end";
  return fmt::format("{} byte{}", result, result == 1 ? "" : "s");
}

std::string show_sent(ssize_t result) {
  if (result < 0) return error_name(errno);
  return fmt::format("{} byte{}", result, result == 1 ? "" : "s");
}

}  // namespace muxlab::behaviour
