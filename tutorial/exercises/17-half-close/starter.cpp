#include <event2/buffer.h>

#include "tutorial/exercises/17-half-close/echo.hpp"

namespace muxlab::exercise {
namespace {

void close(bufferevent* connection, void* over) {
  bufferevent_free(connection);
  *static_cast<bool*>(over) = true;
}

void on_data(bufferevent* connection, void* /*over*/) {
  bufferevent_write_buffer(connection, bufferevent_get_input(connection));
}

void on_event(bufferevent* connection, short what, void* over) {
  if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) close(connection, over);
}

}  // namespace

void serve(event_base* base, evutil_socket_t socket, bool* over) {
  bufferevent* connection = bufferevent_socket_new(base, socket, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(connection, on_data, nullptr, on_event, over);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

}  // namespace muxlab::exercise
