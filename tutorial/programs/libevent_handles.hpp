#pragma once

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tutorial/programs/sockets.hpp"

/// libevent's objects in C++: each has one owner that frees it.
///
/// libevent is written in C, which no exception may pass through. So the callbacks are noexcept:
/// what may be thrown in them is that memory is exhausted, and that ends the program there.
namespace tutorial {

struct Free {
  void operator()(event_base* base) const { event_base_free(base); }
  void operator()(event_config* config) const { event_config_free(config); }
  void operator()(event* watched) const { event_free(watched); }
  void operator()(evconnlistener* listener) const { evconnlistener_free(listener); }
  void operator()(bufferevent* stream) const { bufferevent_free(stream); }
  void operator()(evbuffer* buffer) const { evbuffer_free(buffer); }
  void operator()(evhttp* server) const { evhttp_free(server); }
  void operator()(evhttp_connection* client) const { evhttp_connection_free(client); }
};

/// Members and variables are freed last to first: declare the base before what belongs to it.
template <typename Object>
using Owned = std::unique_ptr<Object, Free>;

/// Takes over what a function of libevent made; where it made nothing, throws its name.
template <typename Object>
Owned<Object> own(Object* made, const char* function) {
  if (made == nullptr) throw std::runtime_error(std::string(function) + " failed");
  return Owned<Object>(made);
}

/// As check(), for functions of libevent: they return 0, or -1 without a reason in errno.
inline void require(int result, const char* function) {
  if (result < 0) throw std::runtime_error(std::string(function) + " failed");
}

/// Ends the loop of `base` at SIGINT and SIGTERM, as long as it exists.
class StopSignals {
 public:
  explicit StopSignals(event_base* base)
      : interrupt_(watch(base, SIGINT)), terminate_(watch(base, SIGTERM)) {}

 private:
  static Owned<event> watch(event_base* base, int signal) {
    const auto stop = [](evutil_socket_t, short, void* loop) {
      event_base_loopbreak(static_cast<event_base*>(loop));
    };
    auto watched = own(evsignal_new(base, signal, stop, base), "evsignal_new");
    require(event_add(watched.get(), nullptr), "event_add");
    return watched;
  }

  Owned<event> interrupt_, terminate_;
};

/// When accept() fails, descriptors have run out: the client would be reported as waiting again and
/// again. So the listener is left alone for a moment, in which others may end.
inline void pause_accepting(evconnlistener* listener, void*) noexcept {
  constexpr timeval kMoment{.tv_sec = 0, .tv_usec = 100'000};
  const auto go_on = [](evutil_socket_t, short, void* paused) noexcept {
    evconnlistener_enable(static_cast<evconnlistener*>(paused));
  };
  evconnlistener_disable(listener);
  require(
      event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, go_on, listener, &kMoment),
      "event_base_once");
}

/// Calls `callback` with each client's socket, which is then its: non-blocking, close-on-exec.
inline Owned<evconnlistener> listen_on(event_base* base, std::uint16_t port,
                                       evconnlistener_cb callback, void* argument) {
  constexpr unsigned kFlags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
  const sockaddr_in address = loopback(port);
  auto listener =
      own(evconnlistener_new_bind(base, callback, argument, kFlags, SOMAXCONN,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "evconnlistener_new_bind");
  evconnlistener_set_error_cb(listener.get(), pause_accepting);
  return listener;
}

inline void say_port(evconnlistener* listener) { say_port(evconnlistener_get_fd(listener)); }

/// An HTTP server without pages. By default a client might send as much, and take as long, as it
/// likes.
inline Owned<evhttp> make_http(event_base* base, Owned<evconnlistener> listener) {
  auto http = own(evhttp_new(base), "evhttp_new");
  evhttp_set_max_headers_size(http.get(), 8 << 10);
  evhttp_set_max_body_size(http.get(), 8 << 10);
  evhttp_set_timeout(http.get(), 10);
  if (evhttp_bind_listener(http.get(), listener.get()) == nullptr) {
    throw std::runtime_error("evhttp_bind_listener failed");
  }
  static_cast<void>(listener.release());  // the server owns it
  return http;
}

/// libevent sends with writev(2), which cannot ask for MSG_NOSIGNAL.
inline void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace tutorial
