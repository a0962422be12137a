#pragma once

#include <event2/bufferevent.h>
#include <event2/event.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"

/// What the backends on libevent share: its objects as owners, and a base with a chosen method.
namespace muxlab::libevent {

struct Free {
  void operator()(event_base* base) const { event_base_free(base); }
  void operator()(event_config* config) const { event_config_free(config); }
  void operator()(event* one) const { event_free(one); }
  void operator()(bufferevent* one) const { bufferevent_free(one); }
};
using Base = std::unique_ptr<event_base, Free>;
using Event = std::unique_ptr<event, Free>;
using Bufferevent = std::unique_ptr<bufferevent, Free>;

/// The methods that this libevent was built with. Read once: event_get_supported_methods() frees
/// the list that it returned before, so that two threads must not call it at once.
const std::vector<std::string>& methods();

/// The environment variable that disables a method, such as EVENT_NOEPOLL.
std::string switch_of(const std::string& method);
/// The one that has epoll's changes collected and handed over with the next wait. The base then
/// calls its method "epoll (with changelist)", and is not what was asked for.
inline constexpr const char* kChangelistSwitch = "EVENT_EPOLL_USE_CHANGELIST";

/// A base that waits with `method` ("select", "poll" or "epoll") and with nothing else, for use by
/// one thread. Throws Failure (unavailable) when this libevent has no such method, or when the
/// environment (EVENT_NOEPOLL and the like) disables it.
Base make_base(const std::string& method);

/// While it lives libevent does not say on stderr what its callers get told anyway. For the process
/// as a whole: while no other thread uses libevent.
class Silence {
 public:
  Silence() {
    ::event_set_log_callback([](int, const char*) {});
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() { ::event_set_log_callback(nullptr); }
};

/// Really makes such a base and waits with it. While no other thread uses libevent.
Availability probe(const std::string& method);

/// event_new(), persistent, and event_add(). Throws std::bad_alloc, the only thing that can be
/// lacking.
Event watch(event_base* base, int fd, short events, event_callback_fn callback, void* argument);

timeval to_timeval(std::chrono::nanoseconds duration);

}  // namespace muxlab::libevent
