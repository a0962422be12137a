#include <array>
#include <map>

#include "tutorial/programs/libevent_handles.hpp"

/// event_echo [PORT]: an echo server on libevent's events. libevent waits, and calls us back when a
/// socket can be read or written; the bytes are still ours to move and to keep.
using namespace tutorial;

namespace {

class Server;

struct Client {
  Server& server;
  Fd socket;
  Owned<event> readable, writable;  ///< freed before the socket is closed
  std::array<char, 16 << 10> buffer{};
  std::size_t begin = 0;  ///< of what is not sent yet
  std::size_t end = 0;
};

class Server {
 public:
  Server(event_base* base, std::uint16_t port) : base_(base) {
    const auto accepted = [](evconnlistener*, evutil_socket_t socket, sockaddr*, int,
                             void* self) noexcept { static_cast<Server*>(self)->add(Fd(socket)); };
    listener_ = listen_on(base, port, accepted, this);
    say_port(listener_.get());
  }

 private:
  void add(Fd socket) {
    const int fd = socket.get();
    Client& client = clients_
                         .emplace(fd, Client{.server = *this,
                                             .socket = std::move(socket),
                                             .readable = {},
                                             .writable = {}})
                         .first->second;
    const auto on_readable = [](evutil_socket_t, short, void* ready) noexcept {
      auto& c = *static_cast<Client*>(ready);
      c.server.receive(c);
    };
    const auto on_writable = [](evutil_socket_t, short, void* ready) noexcept {
      auto& c = *static_cast<Client*>(ready);
      c.server.send(c);
    };
    client.readable =
        own(event_new(base_, fd, EV_READ | EV_PERSIST, on_readable, &client), "event_new");
    client.writable = own(event_new(base_, fd, EV_WRITE, on_writable, &client), "event_new");
    require(event_add(client.readable.get(), nullptr), "event_add");
  }

  void receive(Client& client) {
    const ssize_t size = ::recv(client.socket.get(), client.buffer.data(), client.buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) return remove(client);
    client.begin = 0;
    client.end = static_cast<std::size_t>(size);
    send(client);
  }

  /// As much as the kernel takes; the rest when there is room again. Reads on only after that.
  void send(Client& client) {
    while (client.begin < client.end) {
      const ssize_t size = ::send(client.socket.get(), client.buffer.data() + client.begin,
                                  client.end - client.begin, MSG_NOSIGNAL);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return wait_for_room(client);
      if (size < 0) return remove(client);
      client.begin += static_cast<std::size_t>(size);
    }
    require(event_add(client.readable.get(), nullptr), "event_add");  // nothing new if it is added
  }

  /// It is written to when there is room, and not read from before everything is sent. Without
  /// EV_PERSIST an event is no longer waited for when its callback is called.
  static void wait_for_room(Client& client) {
    require(event_del(client.readable.get()), "event_del");
    require(event_add(client.writable.get(), nullptr), "event_add");
  }

  void remove(const Client& client) { clients_.erase(client.socket.get()); }

  event_base* base_;
  Owned<evconnlistener> listener_;
  std::map<int, Client> clients_;
};

}  // namespace

int main(int argc, char** argv) try {
  const auto base = own(event_base_new(), "event_base_new");
  const StopSignals stop(base.get());
  Server server(base.get(), port_argument(argc, argv));
  require(event_base_dispatch(base.get()), "event_base_dispatch");
} catch (const std::exception& error) {
  fmt::print(stderr, "event_echo: {}\n", error.what());
  return 1;
}
