#pragma once

#include <cstdint>
#include <ctime>

namespace muxlab {

/// A clock, and what it costs to read it once.
struct CallClock {
  clockid_t id;
  std::uint64_t reading_ns;

  [[nodiscard]] std::uint64_t now_ns() const {
    timespec now{};
    ::clock_gettime(id, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
  }
};

/// What system calls are timed with.
///
/// A call that may sleep is timed on the CPU clock of the thread, which stands still meanwhile, and
/// costs a system call to read: half a microsecond. That is once per wait; for receives and sends
/// it would be as much as they take. So those are timed on the monotonic clock, which is read
/// without a system call. It runs on while the thread is preempted: a call that took suspiciously
/// long is looked at on both clocks, and what the thread did not run since they were last compared
/// is taken off. What is left of preemption, many short ones, still makes the sum too high; so
/// believe it less the longer the threads waited for a processor.
struct CallClocks {
  CallClock monotonic;
  CallClock thread_cpu;

  /// Takes a few milliseconds.
  static CallClocks measured();
};

}  // namespace muxlab
