#pragma once

#include "backends/backend.hpp"

namespace muxlab {

/// How the backend `io-uring` uses its ring. The defaults are what measured best or, where nothing
/// could be told from chance, what makes the fewest requests. Others can be measured against them
/// as controls, which results/mechanisms does, and are tested at their limits.
///
/// - One receive at a time, asked for anew after each echo (`io-uring-one-shot`): a second request
/// per
///   echo, for each of which the kernel has to set up a poll.
/// - Few buffers (`io-uring-few-buffers`) stay in the cache, but when they run out in a turn the
///   receives of all others end, and have to be asked for anew.
/// - A completion for every send (`io-uring-told`) wakes the loop for what it knows: with one
///   connection it costs a second system call per echo.
/// - To wait for more than one completion with a time-out of 50 us, half as many as came last time,
///   was tried and not kept: fewer calls, but no difference in CPU that could be told from chance.
/// - send(2) from the loop would cost a system call per echo, which is what this backend is to do
///   without.
struct RingOptions {
  unsigned submissions = 1024;  ///< entries of the ring that requests go through
  unsigned completions = 4096;  ///< entries of the ring that results come through
  unsigned buffers = 512;       ///< for receives of all connections; a power of two
  bool multishot = true;        ///< one request receives many times
  bool quiet_sends = true;      ///< a send that succeeds is not told of
};

/// Backend::serve of `io-uring`.
void serve_with_ring(Worker& worker, const RingOptions& options);

}  // namespace muxlab
