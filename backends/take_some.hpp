#pragma once

#include <new>

#include "backends/backend.hpp"

namespace muxlab {

/// Begins to serve `socket` with `serve`, which moves it out of its argument. When that throws
/// std::bad_alloc, for want of memory or of room for one more descriptor, the socket is closed,
/// `forget` called with the number that it had, and the connection counts as refused.
template <typename Serve, typename Forget>
void begin_to_serve(const Worker& worker, UniqueFd socket, Serve serve, Forget forget) {
  const int fd = socket.get();
  try {
    serve(socket);
    worker.count_accepted();
  } catch (const std::bad_alloc&) {
    socket.reset();
    forget(fd);
    worker.refuse();
  }
}

/// Takes connections of the worker's source, kTakesPerTurn at most, and begins to serve each. False
/// when none is left.
template <typename Serve, typename Forget>
bool take_some(const Worker& worker, Serve serve, Forget forget) {
  for (int taken = 0; taken < kTakesPerTurn; ++taken) {
    Taken socket = worker.source.take();
    if (!socket) return false;
    begin_to_serve(worker, std::move(*socket), serve, forget);
  }
  return true;
}

/// take_some() on a loop over `poller`, which then waits for what the source is to be waited for
/// next.
template <typename Serve, typename Forget>
void take_some_and_wait(Poller& poller, const Worker& worker, Serve serve, Forget forget) {
  const int waited_for = worker.source.fd();
  const bool may_have_more = take_some(worker, serve, forget);
  // Adding it again reports what is left, which edge-triggered nothing else would.
  if (may_have_more || worker.source.fd() != waited_for) {
    poller.remove(waited_for);
    poller.add_exclusive(worker.source.fd());
  }
}

}  // namespace muxlab
