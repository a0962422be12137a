#pragma once

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tutorial/programs/sockets.hpp"

/// libevent's objects in C++: each has one owner that frees it.
namespace tutorial {

struct Free {
  void operator()(event_base* base) const { event_base_free(base); }
  void operator()(event_config* config) const { event_config_free(config); }
  void operator()(event* watched) const { event_free(watched); }
  void operator()(evconnlistener* listener) const { evconnlistener_free(listener); }
  void operator()(bufferevent* stream) const { bufferevent_free(stream); }
  void operator()(evbuffer* buffer) const { evbuffer_free(buffer); }
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

/// Calls `callback` with each client's socket, which is then its: non-blocking, close-on-exec.
inline Owned<evconnlistener> listen_on(event_base* base, std::uint16_t port,
                                       evconnlistener_cb callback, void* argument) {
  const sockaddr_in address = loopback(port);
  return own(evconnlistener_new_bind(
                 base, callback, argument,
                 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, SOMAXCONN,
                 reinterpret_cast<const sockaddr*>(&address), sizeof address),
             "evconnlistener_new_bind");
}

inline void say_port(evconnlistener* listener) { say_port(evconnlistener_get_fd(listener)); }

/// libevent sends with writev(2), which cannot ask for MSG_NOSIGNAL.
inline void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace tutorial
