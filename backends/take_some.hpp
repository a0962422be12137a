#pragma once

#include <new>
#include <utility>

#include "backends/backend.hpp"

namespace muxlab {

/// Serves `socket` with a Loop, or closes and counts it as refused. A Loop has two functions:
///
/// - `void serve(UniqueFd& socket)` begins to serve it and moves it out of its argument. Throws
///   std::bad_alloc if memory, or room for one more descriptor, is lacking.
/// - `void forget(int fd)` drops the records that serve() made before it threw; the socket is
///   closed.
template <typename Loop>
void begin_to_serve(const Worker& worker, UniqueFd socket, Loop& loop) {
  const int fd = socket.get();
  try {
    loop.serve(socket);
    worker.count_accepted();
  } catch (const std::bad_alloc&) {
    socket.reset();
    loop.forget(fd);
    worker.refuse();
  }
}

/// Takes at most kTakesPerTurn connections of the worker's source and begins to serve each. Returns
/// false if none is left.
template <typename Loop>
bool take_some(const Worker& worker, Loop& loop) {
  for (int taken = 0; taken < kTakesPerTurn; ++taken) {
    Taken socket = worker.source.take();
    if (!socket) return false;
    begin_to_serve(worker, std::move(*socket), loop);
  }
  return true;
}

/// Calls take_some() on a loop over `poller`, then watches the source's current descriptor.
template <typename Loop>
void take_some_and_wait(Poller& poller, const Worker& worker, Loop& loop) {
  const int waited_for = worker.source.fd();
  const bool may_have_more = take_some(worker, loop);
  // Adding it again reports connections that are left; an edge-triggered mechanism would not.
  if (may_have_more || worker.source.fd() != waited_for) {
    poller.remove(waited_for);
    poller.add_exclusive(worker.source.fd());
  }
}

}  // namespace muxlab
