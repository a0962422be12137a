#include <poll.h>

#include <array>
#include <string>

#include "tutorial/programs/bytes.hpp"

/// partial_write: why an application needs a buffer of its own. A non-blocking send() takes as much
/// as the kernel has room for; what it did not take must be kept until there is room again.
using namespace tutorial;

namespace {

constexpr std::size_t kMessage = 8 << 20;

struct Connection {
  Fd sender;    ///< non-blocking
  Fd receiver;  ///< blocking
};

Connection connect_both_ends() {
  const Fd listener = listen_on(0);
  Connection ends;
  ends.receiver = connect_to(port_of(listener.get()));
  ends.sender = accept_client(listener.get(), SOCK_NONBLOCK);
  // The kernel would let the send buffer grow, on some machines to more than the whole message.
  const int size = 256 << 10;
  check(::setsockopt(ends.sender.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size), "setsockopt");
  return ends;
}

/// How much the kernel took; -1 when that was nothing, which is no error.
ssize_t try_send(int socket, std::string_view bytes) {
  const ssize_t taken = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return taken < 0 && errno == EAGAIN ? -1 : check(taken, "send");
}

/// Receives once, what there is; adds it to `received`.
void receive(int socket, std::string& received) {
  static std::array<char, 64 << 10> buffer;
  const ssize_t size = check(::recv(socket, buffer.data(), buffer.size(), 0), "recv");
  received.append(buffer.data(), static_cast<std::size_t>(size));
}

/// What a server does: sends from its buffer whenever poll() says that there is room, and does
/// other things meanwhile. Here the other thing is to be the client that reads.
int send_rest(const Connection& ends, std::string_view unsent, std::string& received) {
  int calls = 0;
  while (received.size() < kMessage) {
    std::array<pollfd, 2> waited{{
        {.fd = unsent.empty() ? -1 : ends.sender.get(), .events = POLLOUT, .revents = 0},
        {.fd = ends.receiver.get(), .events = POLLIN, .revents = 0},
    }};
    check(::poll(waited.data(), waited.size(), -1), "poll");
    if (waited[0].revents != 0) {
      ++calls;
      const ssize_t taken = try_send(ends.sender.get(), unsent);
      if (taken > 0) unsent.remove_prefix(static_cast<std::size_t>(taken));
    }
    if (waited[1].revents != 0) receive(ends.receiver.get(), received);
  }
  return calls;
}

}  // namespace

int main() try {
  const Connection ends = connect_both_ends();
  const std::string message = make_bytes(kMessage);
  const ssize_t first = try_send(ends.sender.get(), message);
  say("send() was given {} bytes and took {}", message.size(), first);
  if (first < 0) throw std::runtime_error("the kernel took nothing");
  std::string_view unsent = message;
  unsent.remove_prefix(static_cast<std::size_t>(first));

  while (true) {
    const ssize_t taken = try_send(ends.sender.get(), unsent);
    if (taken < 0) break;
    unsent.remove_prefix(static_cast<std::size_t>(taken));
  }
  say("then it takes nothing: EAGAIN (a blocking send() would hold the thread here)");
  say("the application has to keep {} bytes until the other side reads", unsent.size());

  std::string received;
  const int calls = send_rest(ends, unsent, received);
  say("sent from the application's buffer, whenever there was room: {} more calls", calls);
  say("received {} bytes, {}", received.size(), received == message ? "all the same" : "DIFFERENT");
  return received == message ? 0 : 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "partial_write: {}\n", error.what());
  return 1;
}
