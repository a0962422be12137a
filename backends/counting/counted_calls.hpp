#pragma once

#include "backends/counting/worker_stats.hpp"

namespace muxlab {

/// While one lives, every counted system call that its thread makes is added to `stats`, whoever
/// makes it: this project or a library that it calls.
///
/// The program defines the C library's functions that wait, read, write and so on, and passes each
/// call on to the next definition. The dynamic linker then binds a library's calls here too, which
/// is the only way to know what libevent does on our behalf. Threads without a CountedCalls pass
/// through uncounted.
///
/// Where `stats` has an observer with clocks, the time in each call is added up too, by kind. For
/// io_uring that of `wait` is also the time in which what was submitted is done: it is one call. An
/// observer with a watcher is told of each call as it begins and returns.
class CountedCalls {
 public:
  explicit CountedCalls(WorkerStats& stats);
  ~CountedCalls();
  CountedCalls(const CountedCalls&) = delete;
  CountedCalls& operator=(const CountedCalls&) = delete;
};

}  // namespace muxlab
