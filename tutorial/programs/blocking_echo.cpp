#include <netinet/tcp.h>

#include <array>
#include <span>

#include "tutorial/programs/sockets.hpp"

/// blocking_echo [PORT]: an echo server of one thread that waits in recv() and send(), and so
/// serves one client at a time. The others wait, and it says how many.
using namespace tutorial;

namespace {

/// False when the client is gone. One call may take less than all of it.
bool send_all(int client, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Until the client sends no more, or is gone; returns how many bytes it got back.
std::size_t echo(int client) {
  std::size_t echoed = 0;
  std::array<char, 16 << 10> buffer;
  for (;;) {
    const ssize_t received = ::recv(client, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return echoed;
    const auto size = static_cast<std::size_t>(received);
    if (!send_all(client, std::span(buffer).first(size))) return echoed;
    echoed += size;
  }
}

/// How many clients are connected but not accepted: the kernel keeps them in the listener's queue.
/// For a listener, Linux tells the length of that queue in this field.
unsigned waiting(int listener) {
  tcp_info info{};
  socklen_t size = sizeof info;
  check(::getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size), "getsockopt");
  return info.tcpi_unacked;
}

void serve(int listener) {
  for (int number = 1;; ++number) {
    const Fd client = accept_client(listener);
    say("client {}: its turn", number);
    const std::size_t echoed = echo(client.get());
    say("client {}: over, {} bytes echoed; {} more wait", number, echoed, waiting(listener));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  exit_on_signal();
  const Fd listener = listen_on(port_argument(argc, argv));
  say_port(listener.get());
  serve(listener.get());
} catch (const std::exception& error) {
  fmt::print(stderr, "blocking_echo: {}\n", error.what());
  return 1;
}
