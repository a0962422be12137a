#include <poll.h>

#include <array>
#include <list>
#include <string>
#include <vector>

#include "tutorial/programs/sockets.hpp"

/// buffered_echo [PORT]: an echo server of one thread that waits for all its clients at once, in
/// poll(), and never in recv() or send(). So each connection needs two buffers: for what has come
/// and is not handled yet, and for what is to be sent and was not taken yet.
using namespace tutorial;

namespace {

struct Connection {
  int number = 0;
  Fd socket;
  std::string in;
  std::string out;
  bool ended = false;  ///< the client sends no more, but may still read
  std::size_t echoed = 0;
  std::size_t most_out = 0;  ///< the most bytes that `out` held
};

/// A client that sends and does not read would fill our memory: above this it is not read from.
constexpr std::size_t kEnoughUnsent = 256 << 10;

bool wants_input(const Connection& c) { return !c.ended && c.out.size() < kEnoughUnsent; }

pollfd interest(const Connection& c) {
  const int events = (wants_input(c) ? POLLIN : 0) | (c.out.empty() ? 0 : POLLOUT);
  return {.fd = c.socket.get(), .events = static_cast<short>(events), .revents = 0};
}

/// False when the connection is lost. That nothing came is no error.
bool receive(Connection& c) {
  static std::array<char, 64 << 10> arrived;
  const ssize_t size = ::recv(c.socket.get(), arrived.data(), arrived.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  c.ended = size == 0;
  c.in.append(arrived.data(), static_cast<std::size_t>(size));
  return true;
}

/// The protocol. To an echo each byte is a whole request; with requests that are lines, this would
/// take the whole lines and leave the begin of the next one where it is.
void handle(Connection& c) {
  c.out += c.in;
  c.in.clear();
}

/// False when the connection is lost. What the kernel does not take stays in the buffer.
bool send(Connection& c) {
  c.most_out = std::max(c.most_out, c.out.size());
  if (c.out.empty()) return true;
  const ssize_t taken = ::send(c.socket.get(), c.out.data(), c.out.size(), MSG_NOSIGNAL);
  if (taken < 0) return errno == EAGAIN || errno == EINTR;
  c.out.erase(0, static_cast<std::size_t>(taken));
  c.echoed += static_cast<std::size_t>(taken);
  return true;
}

/// False when the connection is over.
bool advance(Connection& c) {
  if (wants_input(c) && !receive(c)) return false;
  handle(c);
  if (!send(c)) return false;
  return !c.ended || !c.out.empty();
}

void accept_one(int listener, std::list<Connection>& connections) {
  static int number = 0;
  Fd socket = accept_client(listener, SOCK_NONBLOCK);
  if (!socket) return;
  Connection& added = connections.emplace_back();
  added.number = ++number;
  added.socket = std::move(socket);
}

void serve(int listener, int stop) {
  const std::size_t most = most_clients();
  std::list<Connection> connections;
  std::vector<pollfd> waited;
  for (;;) {
    const bool full = connections.size() >= most;
    waited = {{.fd = stop, .events = POLLIN, .revents = 0},
              {.fd = full ? -1 : listener, .events = POLLIN, .revents = 0}};
    for (const Connection& connection : connections) waited.push_back(interest(connection));
    const int ready = ::poll(waited.data(), waited.size(), -1);
    if (ready < 0 && errno == EINTR) continue;
    check(ready, "poll");

    if (waited[0].revents != 0) return;
    auto result = waited.begin() + 2;
    std::erase_if(connections, [&](Connection& c) {
      if ((result++)->revents == 0 || advance(c)) return false;
      say("connection {}: {} bytes echoed, at most {} were in its output buffer", c.number,
          c.echoed, c.most_out);
      return true;
    });
    if (waited[1].revents != 0) accept_one(listener, connections);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const Fd stop = stop_signals();
  const Fd listener = listen_on(port_argument(argc, argv), SOCK_NONBLOCK);
  say_port(listener.get());
  serve(listener.get(), stop.get());
} catch (const std::exception& error) {
  fmt::print(stderr, "buffered_echo: {}\n", error.what());
  return 1;
}
