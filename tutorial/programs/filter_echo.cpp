#include <algorithm>
#include <array>
#include <cctype>
#include <map>

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

struct Client {
  Owned<bufferevent> socket;
  Owned<bufferevent> filter;  ///< in front of it, so freed before it
};

std::size_t unsent(bufferevent* stream) {
  return evbuffer_get_length(bufferevent_get_output(stream));
}

class Server {
 public:
  Server(event_base* base, std::uint16_t port)
      : base_(base), listener_(listen_on(base, port, accepted, this)) {
    say_port(listener_.get());
  }

 private:
  static void accepted(evconnlistener*, evutil_socket_t socket, sockaddr*, int,
                       void* self) noexcept {
    static_cast<Server*>(self)->add(socket);
  }

  void add(evutil_socket_t fd) {
    auto socket =
        own(bufferevent_socket_new(base_, fd, BEV_OPT_CLOSE_ON_FREE), "bufferevent_socket_new");
    auto filter = own(bufferevent_filter_new(socket.get(), nullptr, to_upper, 0, nullptr, nullptr),
                      "bufferevent_filter_new");
    // Without a limit the filter passes everything on at once, and its own output is always empty.
    bufferevent_setwatermark(socket.get(), EV_WRITE, 0, kEnoughUnsent);
    bufferevent_setcb(filter.get(), received, all_passed_on, ended, this);
    require(bufferevent_enable(filter.get(), EV_READ), "bufferevent_enable");
    Client& client = clients_[socket.get()];
    client = {.socket = std::move(socket), .filter = std::move(filter)};
  }

  static void received(bufferevent* filter, void*) noexcept {
    require(bufferevent_write_buffer(filter, bufferevent_get_input(filter)),
            "bufferevent_write_buffer");
    if (unsent(filter) > 0) bufferevent_disable(filter, EV_READ);
  }

  static void all_passed_on(bufferevent* filter, void*) noexcept {
    require(bufferevent_enable(filter, EV_READ), "bufferevent_enable");
  }

  static void ended(bufferevent* filter, short what, void* self) noexcept {
    if ((what & BEV_EVENT_EOF) == 0) return remove(bufferevent_get_underlying(filter), self);
    if (unsent(filter) == 0) return finish(filter, self);
    const auto lost = [](bufferevent* f, short, void* server) noexcept {
      remove(bufferevent_get_underlying(f), server);
    };
    bufferevent_setcb(filter, nullptr, finish, lost, self);
  }

  /// The filter has passed everything on, and does not tell when that is sent: the socket does.
  static void finish(bufferevent* filter, void* self) noexcept {
    bufferevent* const socket = bufferevent_get_underlying(filter);
    static_cast<Server*>(self)->clients_.at(socket).filter.reset();
    if (unsent(socket) == 0) return remove(socket, self);
    const auto lost = [](bufferevent* s, short, void* server) noexcept { remove(s, server); };
    bufferevent_setcb(socket, nullptr, remove, lost, self);
  }

  static void remove(bufferevent* socket, void* self) noexcept {
    static_cast<Server*>(self)->clients_.erase(socket);
  }

  event_base* base_;
  Owned<evconnlistener> listener_;
  std::map<bufferevent*, Client> clients_;  ///< by the bufferevent of the socket
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
