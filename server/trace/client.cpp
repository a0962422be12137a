#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "backends/parts/failure.hpp"
#include "backends/parts/loopback.hpp"
#include "server/trace/trace.hpp"

namespace muxlab::trace {
namespace {

UniqueFd socket_of(const SocketAddress& address, int type) {
  return UniqueFd(checked(::socket(address.family(), type | SOCK_CLOEXEC, 0), "socket"));
}

UniqueFd connected_to_itself() {
  SocketAddress address = loopback().at(0);
  UniqueFd socket = socket_of(address, SOCK_DGRAM);
  checked(::bind(socket.get(), address.get(), address.size), "bind");
  checked(::getsockname(socket.get(), address.get(), &address.size), "getsockname");
  checked(::connect(socket.get(), address.get(), address.size), "connect");
  return socket;
}

/// Returns the n-th byte that a client sends.
char byte_at(std::uint64_t n) { return static_cast<char>('a' + n % 26); }

}  // namespace

void run_on(int cpu, bool as_batch) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(cpu), &one);
  static_cast<void>(::sched_setaffinity(0, sizeof one, &one));
  const sched_param parameters{};
  if (as_batch) static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &parameters));
}

ScriptedClients::ScriptedClients(std::uint16_t port)
    : port_(port), to_itself_(connected_to_itself()) {}

void ScriptedClients::perform(const Step& step) {
  if (step.action == Action::connect) return connect(step.client);
  Client& client = clients_[step.client];
  switch (step.action) {
    case Action::send:
      return send(client, step.bytes);
    case Action::receive:
      return receive(client, step);
    case Action::end:
      checked(::shutdown(client.socket.get(), SHUT_WR), "shutdown");
      return;
    case Action::reset:
      reset(client);
      [[fallthrough]];
    default:
      clients_.erase(step.client);
  }
}

void ScriptedClients::connect(const std::string& name) {
  const SocketAddress server = loopback().at(port_);
  UniqueFd socket = socket_of(server, SOCK_STREAM);
  const int on = 1;
  checked(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  checked(::connect(socket.get(), server.get(), server.size), "connect");
  clients_[name] = {.socket = std::move(socket)};
}

void ScriptedClients::send(Client& client, std::size_t size) {
  std::string message(size, '\0');
  for (char& byte : message) byte = byte_at(client.sent++);
  const ssize_t sent = ::send(client.socket.get(), message.data(), size, MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(size)) throw_errno("send");
}

void ScriptedClients::receive(Client& client, const Step& step) {
  std::string echo(step.bytes, '\0');
  const ssize_t received =
      ::recv(client.socket.get(), echo.data(), echo.size(), MSG_WAITALL | MSG_DONTWAIT);
  if (received != static_cast<ssize_t>(step.bytes)) {
    throw Failure(ExitCode::failed,
                  fmt::format("line {}: {}: the server is idle, and sent back {} bytes", step.line,
                              describe(step), std::max<ssize_t>(received, 0)));
  }
  for (const char byte : echo) {
    if (byte == byte_at(client.received++)) continue;
    throw Failure(ExitCode::failed, fmt::format("line {}: {} received other bytes than it sent",
                                                step.line, step.client));
  }
}

void ScriptedClients::reset(Client& client) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  checked(::setsockopt(client.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once),
          "setsockopt");
}

/// A datagram to ourselves takes the same way. A processor handles its loopback packets in order,
/// usually but not always before the sending call returns.
void ScriptedClients::let_all_arrive() {
  char byte = '?';
  checked(static_cast<int>(::send(to_itself_.get(), &byte, 1, 0)), "send");
  checked(static_cast<int>(::recv(to_itself_.get(), &byte, 1, 0)), "recv");
}

std::vector<std::string> ScriptedClients::open() const {
  std::vector<std::string> names;
  for (const auto& [name, client] : clients_) names.push_back(name);
  return names;
}

}  // namespace muxlab::trace
