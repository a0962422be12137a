#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>

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

/// What a system call is for. `ctl` changes what is waited for; `other` is all the rest.
enum class Call : std::uint8_t { wait, read, write, ctl, accept, other };

/// A counted call as it is made: the C library's function, or liburing's, and what it is given.
struct MadeCall {
  const char* name;
  Call call;
  std::array<std::uint64_t, 6> arguments;  ///< pointers as numbers; those that there are not are 0
};

/// Is told of each counted call of a thread, by that thread and between the program and the kernel:
/// what the arguments point to is there to be looked at. Calls that it makes itself are not
/// counted. It must not throw, and may change errno.
class CallWatcher {
 public:
  CallWatcher() = default;
  CallWatcher(const CallWatcher&) = delete;
  CallWatcher& operator=(const CallWatcher&) = delete;
  virtual ~CallWatcher() = default;

  /// The calling thread is counted from now on, and no longer.
  virtual void thread_begins() = 0;
  virtual void thread_ends() = 0;

  /// `call` is made next, and has returned `result`, with the errno of after it.
  virtual void begins(const MadeCall& call) = 0;
  virtual void returned(const MadeCall& call, std::int64_t result, int error) = 0;
};

/// What is to be known of calls beside their number.
struct CallObserver {
  std::optional<CallClocks> clocks;  ///< what they are timed with
  CallWatcher* watcher = nullptr;
};

}  // namespace muxlab
