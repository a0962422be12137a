#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>

namespace muxlab {

/// A clock, and the nanoseconds that it takes to read it once.
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

/// The clocks that time system calls.
///
/// A call that may sleep is timed on the thread's CPU clock, which stands still during sleep.
/// Reading that clock costs a system call, half a microsecond. This is acceptable once per wait,
/// but a receive or send takes no longer itself. So those are timed on the monotonic clock, which
/// needs no system call but runs on while the thread is pre-empted. After a suspiciously long call
/// both clocks are read, and the time since the last comparison in which the thread did not run is
/// subtracted. Many short pre-emptions still make the sum too high. So trust it less the longer the
/// threads waited for a processor.
struct CallClocks {
  CallClock monotonic;
  CallClock thread_cpu;

  /// Measures the cost of reading both clocks; takes a few milliseconds.
  static CallClocks measured();
};

/// The purpose of a system call. `ctl` changes what a thread waits for; `other` is all the rest.
enum class Call : std::uint8_t { wait, read, write, ctl, accept, other };

/// A counted call: the function of the C library, or of liburing, and its arguments.
struct MadeCall {
  const char* name;
  Call call;
  std::array<std::uint64_t, 6> arguments;  ///< pointers as numbers; unused ones are 0
};

/// Called on the calling thread before and after each counted system call, while pointer arguments
/// are valid. System calls that it makes itself are not counted. It must not throw, and may change
/// errno.
class CallWatcher {
 public:
  CallWatcher() = default;
  CallWatcher(const CallWatcher&) = delete;
  CallWatcher& operator=(const CallWatcher&) = delete;
  virtual ~CallWatcher() = default;

  /// Called on a thread when its calls begin to be counted, and when that ends.
  virtual void thread_begins() = 0;
  virtual void thread_ends() = 0;

  /// Called before `call`, and after it with its `result` and errno.
  virtual void begins(const MadeCall& call) = 0;
  virtual void returned(const MadeCall& call, std::int64_t result, int error) = 0;
};

/// What to observe of calls besides their number.
struct CallObserver {
  std::optional<CallClocks> clocks;  ///< time the calls; empty: do not
  CallWatcher* watcher = nullptr;
};

}  // namespace muxlab
