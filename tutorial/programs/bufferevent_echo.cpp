#include <map>

#include "tutorial/programs/libevent_handles.hpp"

/// bufferevent_echo [PORT]: an echo server on libevent's bufferevents. libevent receives into one
/// buffer and sends from another; echoing is moving the bytes from the first to the second.
using namespace tutorial;

namespace {

/// A client that sends and does not read would fill our memory: above this it is not read from.
constexpr std::size_t kEnoughUnsent = 256 << 10;

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

  void add(evutil_socket_t socket) {
    // It owns the socket.
    auto stream =
        own(bufferevent_socket_new(base_, socket, BEV_OPT_CLOSE_ON_FREE), "bufferevent_socket_new");
    bufferevent_setcb(stream.get(), received, all_sent, ended, this);
    require(bufferevent_enable(stream.get(), EV_READ),
            "bufferevent_enable");  // EV_WRITE is already
    streams_.emplace(stream.get(), std::move(stream));
  }

  /// No byte is copied: the chunks of memory change from one buffer to the other.
  static void received(bufferevent* stream, void*) noexcept {
    require(bufferevent_write_buffer(stream, bufferevent_get_input(stream)),
            "bufferevent_write_buffer");
    if (unsent(stream) > kEnoughUnsent) bufferevent_disable(stream, EV_READ);
  }

  static void all_sent(bufferevent* stream, void*) noexcept {
    require(bufferevent_enable(stream, EV_READ), "bufferevent_enable");
  }

  /// At the end of the stream or after an error. To free the bufferevent is to throw away what it
  /// has not sent; a client that sends no more may still read.
  static void ended(bufferevent* stream, short what, void* self) noexcept {
    const bool end_of_stream = (what & BEV_EVENT_EOF) != 0;
    if (!end_of_stream || unsent(stream) == 0) return remove(stream, self);
    const auto lost = [](bufferevent* s, short, void* server) noexcept { remove(s, server); };
    bufferevent_setcb(stream, nullptr, remove, lost, self);
  }

  static void remove(bufferevent* stream, void* self) noexcept {
    static_cast<Server*>(self)->streams_.erase(stream);
  }

  event_base* base_;
  Owned<evconnlistener> listener_;
  std::map<bufferevent*, Owned<bufferevent>> streams_;
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
