#include <array>
#include <list>

#include "tutorial/programs/sockets.hpp"

/// busy_echo [PORT]: an echo server of one thread with non-blocking sockets that never waits: it
/// asks every socket again and again. Serves many clients, and keeps a processor busy when there
/// is nothing to do. At the end it says how many of its calls were in vain.
using namespace tutorial;

namespace {

struct Calls {
  std::uint64_t made = 0;
  std::uint64_t in_vain = 0;  ///< the answer was EAGAIN: not now
};

/// What was received stays here until all of it is sent: send() may take a part, or nothing.
struct Client {
  Fd socket;
  std::array<char, 16 << 10> buffer{};
  std::size_t begin = 0;  ///< of what is not sent yet
  std::size_t end = 0;
};

/// One attempt to get on: sends if there is something to send, else receives. False at the end.
bool advance(Client& client, Calls& calls) {
  const bool sends = client.begin < client.end;
  char* const first = client.buffer.data();
  const int fd = client.socket.get();
  const ssize_t moved =
      sends ? ::send(fd, first + client.begin, client.end - client.begin, MSG_NOSIGNAL)
            : ::recv(fd, first, client.buffer.size(), 0);
  ++calls.made;
  if (moved < 0 && errno == EAGAIN) {
    ++calls.in_vain;
    return true;
  }
  if (moved < 0) return errno == EINTR;
  if (moved == 0) return false;  // the client sends no more, and has got everything
  if (sends) {
    client.begin += static_cast<std::size_t>(moved);
  } else {
    client.begin = 0;
    client.end = static_cast<std::size_t>(moved);
  }
  return true;
}

void accept_one(int listener, std::list<Client>& clients, Calls& calls) {
  Fd socket = accept_client(listener, SOCK_NONBLOCK);
  ++calls.made;
  if (!socket) {
    ++calls.in_vain;
    return;
  }
  clients.emplace_back().socket = std::move(socket);
}

// A handler may not do much; this program looks here often enough.
volatile std::sig_atomic_t stopped = 0;

Calls serve(int listener) {
  Calls calls;
  std::list<Client> clients;
  const std::size_t most = most_clients();
  while (stopped == 0) {
    if (clients.size() < most) accept_one(listener, clients, calls);
    std::erase_if(clients, [&](Client& client) { return !advance(client, calls); });
  }
  return calls;
}

}  // namespace

int main(int argc, char** argv) try {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopped = 1; });
  const Fd listener = listen_on(port_argument(argc, argv), SOCK_NONBLOCK);
  say_port(listener.get());
  const Calls calls = serve(listener.get());
  say("made {} calls, {} of them in vain", calls.made, calls.in_vain);
} catch (const std::exception& error) {
  fmt::print(stderr, "busy_echo: {}\n", error.what());
  return 1;
}
