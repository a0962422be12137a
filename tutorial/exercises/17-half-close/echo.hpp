#pragma once

#include <event2/bufferevent.h>
#include <event2/event.h>

namespace muxlab::exercise {

/// Echoes on `socket`, which it closes at the end, with a bufferevent of libevent. When it is over,
/// `*over` becomes true. The caller dispatches `base`.
///
/// Once the client has ended its stream it still gets the echo of all that it sent, and then the
/// end of this one.
void serve(event_base* base, evutil_socket_t socket, bool* over);

}  // namespace muxlab::exercise
