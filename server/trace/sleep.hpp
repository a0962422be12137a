#pragma once

#include <dirent.h>
#include <sys/types.h>

#include <memory>
#include <vector>

#include "backends/parts/unique_fd.hpp"

/// What /proc/self/task says of threads; proc(5). The files stay open: a descriptor that comes and
/// goes meanwhile would change the numbers that a server gets.
namespace muxlab::trace {

/// Tells whether a thread sleeps. Any thread may ask.
class SleepWatch {
 public:
  /// Of the calling thread.
  SleepWatch();

  /// Whether it sleeps until something wakes it. One that goes to sleep at this moment, is stopped
  /// by a debugger or has ended does not sleep, and neither does any where /proc does not tell.
  [[nodiscard]] bool is_asleep() const;

 private:
  UniqueFd stat_;
  UniqueFd syscall_;
};

/// The threads of this process.
class ThreadList {
 public:
  /// Throws std::system_error.
  ThreadList();

  /// Those that there are now; those that the kernel runs for the process too.
  [[nodiscard]] std::vector<pid_t> ids() const;

 private:
  struct Close {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  std::unique_ptr<DIR, Close> folder_;
};

/// One that io_uring runs in this process.
bool is_kernel_thread(pid_t thread);

}  // namespace muxlab::trace
