#include <algorithm>
#include <array>
#include <cctype>
#include <list>

#include "tutorial/programs/libevent_handles.hpp"

/// filter_echo [PORT]: an echo server whose bufferevent has a filter: what goes out is turned into
/// capital letters on its way. The server's own code is that of any echo; it knows of no filter.
using namespace tutorial;

namespace {

/// A client that sends and does not read would fill our memory: above this it is not read from.
constexpr std::size_t kEnoughUnsent = 256 << 10;

/// libevent calls it with what is to be sent. `limit` is how much the other side may take now, -1
/// for any amount; what stays in `from` is asked for again.
bufferevent_filter_result to_upper(evbuffer* from, evbuffer* to, ev_ssize_t limit,
                                   bufferevent_flush_mode, void*) noexcept {
  std::array<char, 4096> chunk;
  std::size_t left = limit < 0 ? kEnoughUnsent : static_cast<std::size_t>(limit);
  bool any = false;
  while (left > 0) {
    const int size = evbuffer_remove(from, chunk.data(), std::min(chunk.size(), left));
    if (size <= 0) break;
    const auto end = chunk.begin() + size;
    std::transform(chunk.begin(), end, chunk.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (evbuffer_add(to, chunk.data(), static_cast<std::size_t>(size)) != 0) return BEV_ERROR;
    left -= static_cast<std::size_t>(size);
    any = true;
  }
  return any ? BEV_OK : BEV_NEED_MORE;
}

class Server;

struct Client {
  Server& server;
  Owned<bufferevent> socket;
  Owned<bufferevent> filter;  ///< in front of it
  bool ended = false;         ///< the client sends no more
  std::list<Client>::iterator place{};
};

std::size_t unsent(const Owned<bufferevent>& stream) {
  return evbuffer_get_length(bufferevent_get_output(stream.get()));
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
  void add(evutil_socket_t fd) {
    Client& client = clients_.emplace_back(Client{.server = *this, .socket = {}, .filter = {}});
    client.place = std::prev(clients_.end());
    client.socket =
        own(bufferevent_socket_new(base_, fd, BEV_OPT_CLOSE_ON_FREE), "bufferevent_socket_new");
    client.filter =
        own(bufferevent_filter_new(client.socket.get(), nullptr, to_upper, 0, nullptr, nullptr),
            "bufferevent_filter_new");
    // Without a limit the filter hands everything on at once, and its output is always empty.
    bufferevent_setwatermark(client.socket.get(), EV_WRITE, 0, kEnoughUnsent);
    bufferevent_setcb(
        client.filter.get(), [](bufferevent*, void* c) noexcept { received(of(c)); },
        [](bufferevent*, void* c) noexcept { all_passed_on(of(c)); },
        [](bufferevent*, short what, void* c) noexcept { ended(of(c), what); }, &client);
    require(bufferevent_enable(client.filter.get(), EV_READ), "bufferevent_enable");
    if (clients_.size() == most_) evconnlistener_disable(listener_.get());
  }

  static Client& of(void* client) { return *static_cast<Client*>(client); }

  static void received(Client& client) {
    evbuffer* const input = bufferevent_get_input(client.filter.get());
    require(bufferevent_write_buffer(client.filter.get(), input), "bufferevent_write_buffer");
    if (unsent(client.filter) > 0) bufferevent_disable(client.filter.get(), EV_READ);
  }

  static void all_passed_on(Client& client) {
    if (client.ended) return finish(client);
    require(bufferevent_enable(client.filter.get(), EV_READ), "bufferevent_enable");
  }

  static void ended(Client& client, short what) {
    client.ended = true;
    if ((what & BEV_EVENT_EOF) == 0) return client.server.remove(client);
    if (unsent(client.filter) == 0) finish(client);
  }

  /// The filter has passed everything on, and does not tell when that is sent: the socket does.
  static void finish(Client& client) {
    client.filter.reset();
    if (unsent(client.socket) == 0) return client.server.remove(client);
    bufferevent_setcb(
        client.socket.get(), nullptr,
        [](bufferevent*, void* c) noexcept { of(c).server.remove(of(c)); },
        [](bufferevent*, short, void* c) noexcept { of(c).server.remove(of(c)); }, &client);
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
  fmt::print(stderr, "filter_echo: {}\n", error.what());
  return 1;
}
