#include <list>

#include "tutorial/programs/libevent_handles.hpp"

/// bufferevent_echo [PORT]: an echo server on libevent's bufferevents. libevent receives into one
/// buffer and sends from another; echoing is moving the bytes from the first to the second.
///
/// The callbacks are noexcept: no exception may pass through libevent, which is written in C.
using namespace tutorial;

namespace {

class Server;

struct Client {
  Server& server;
  Owned<bufferevent> stream;  ///< owns the socket
  bool ended = false;         ///< the client sends no more
  std::list<Client>::iterator place{};
};

/// A client that sends and does not read would fill our memory: above this it is not read from.
constexpr std::size_t kEnoughUnsent = 256 << 10;

std::size_t unsent(const Client& client) {
  return evbuffer_get_length(bufferevent_get_output(client.stream.get()));
}

class Server {
 public:
  Server(event_base* base, std::uint16_t port) : base_(base) {
    const auto accepted = [](evconnlistener*, evutil_socket_t socket, sockaddr*, int,
                             void* self) noexcept { static_cast<Server*>(self)->add(socket); };
    listener_ = listen_on(base, port, accepted, this);
    say_port(listener_.get());
  }

 private:
  void add(evutil_socket_t socket) {
    auto stream =
        own(bufferevent_socket_new(base_, socket, BEV_OPT_CLOSE_ON_FREE), "bufferevent_socket_new");
    Client& client = clients_.emplace_back(Client{.server = *this, .stream = std::move(stream)});
    client.place = std::prev(clients_.end());
    bufferevent_setcb(
        client.stream.get(), [](bufferevent*, void* c) noexcept { received(of(c)); },
        [](bufferevent*, void* c) noexcept { all_sent(of(c)); },
        [](bufferevent*, short what, void* c) noexcept { ended(of(c), what); }, &client);
    // Writing is enabled from the start, reading is not.
    require(bufferevent_enable(client.stream.get(), EV_READ), "bufferevent_enable");
    if (clients_.size() == most_) evconnlistener_disable(listener_.get());
  }

  static Client& of(void* client) { return *static_cast<Client*>(client); }

  /// No byte is copied: the chunks of memory change from one buffer to the other.
  static void received(Client& client) {
    evbuffer* const input = bufferevent_get_input(client.stream.get());
    require(bufferevent_write_buffer(client.stream.get(), input), "bufferevent_write_buffer");
    if (unsent(client) > kEnoughUnsent) bufferevent_disable(client.stream.get(), EV_READ);
  }

  static void all_sent(Client& client) {
    if (client.ended) return client.server.remove(client);
    require(bufferevent_enable(client.stream.get(), EV_READ), "bufferevent_enable");
  }

  /// To free the bufferevent is to throw away what it has not sent yet.
  static void ended(Client& client, short what) {
    client.ended = true;
    const bool end_of_stream = (what & BEV_EVENT_EOF) != 0;
    if (!end_of_stream || unsent(client) == 0) client.server.remove(client);
  }

  void remove(Client& client) {
    clients_.erase(client.place);
    evconnlistener_enable(listener_.get());
  }

  event_base* base_;
  std::size_t most_ = most_clients();
  Owned<evconnlistener> listener_;
  std::list<Client> clients_;
};

}  // namespace

int main(int argc, char** argv) try {
  ignore_broken_pipes();
  const auto base = own(event_base_new(), "event_base_new");
  const StopSignals stop(base.get());
  Server server(base.get(), port_argument(argc, argv));
  require(event_base_dispatch(base.get()), "event_base_dispatch");
} catch (const std::exception& error) {
  fmt::print(stderr, "bufferevent_echo: {}\n", error.what());
  return 1;
}
