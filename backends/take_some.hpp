#pragma once

#include <new>
#include <utility>

#include "backends/backend.hpp"

namespace muxlab {

/// How connections come into a Loop, which has two functions for it:
///
/// - `void serve(UniqueFd& socket)` begins to serve it and moves it out of its argument. Throws
///   std::bad_alloc when there is no memory, or no room for one more descriptor.
/// - `void forget(int fd)` drops what serve() noted before it threw; the socket is closed by then.
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

/// Takes connections of the worker's source, kTakesPerTurn at most, and begins to serve each. False
/// when none is left.
template <typename Loop>
bool take_some(const Worker& worker, Loop& loop) {
  for (int taken = 0; taken < kTakesPerTurn; ++taken) {
    Taken socket = worker.source.take();
    if (!socket) return false;
    begin_to_serve(worker, std::move(*socket), loop);
  }
  return true;
}

/// take_some() on a loop over `poller`, which then waits for what the source is to be waited for
/// next.
template <typename Loop>
void take_some_and_wait(Poller& poller, const Worker& worker, Loop& loop) {
  const int waited_for = worker.source.fd();
  const bool may_have_more = take_some(worker, loop);
  // Adding it again reports what is left, which edge-triggered nothing else would.
  if (may_have_more || worker.source.fd() != waited_for) {
    poller.remove(waited_for);
    poller.add_exclusive(worker.source.fd());
  }
}

}  // namespace muxlab
