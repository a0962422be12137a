#pragma once

#include "backends/counting/worker_stats.hpp"

namespace muxlab {

/// Adds every counted system call of the calling thread to `stats` during its lifetime, including
/// those that libraries make.
///
/// The program defines the C library's functions that wait, read, write and so on, and passes each
/// call on to the next definition. The dynamic linker binds the calls of libraries to these
/// definitions too, which is the only way to count the calls of libevent. Threads without a
/// CountedCalls pass through uncounted.
///
/// If `stats` has an observer with clocks, the time in each call is added up by kind. For io_uring
/// the time of `wait` includes the submitted work, because it is one call. An observer with a
/// watcher is called before and after each call.
class CountedCalls {
 public:
  explicit CountedCalls(WorkerStats& stats);
  ~CountedCalls();
  CountedCalls(const CountedCalls&) = delete;
  CountedCalls& operator=(const CountedCalls&) = delete;
};

}  // namespace muxlab
