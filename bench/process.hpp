#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/unique_fd.hpp"
#include "bench/process_pipe.hpp"

namespace muxlab {

using Clock = std::chrono::steady_clock;

/// What to run, and where.
struct Command {
  std::vector<std::string> words;  ///< the first is the program: a path, or a name found in PATH
  std::vector<int> processors;     ///< where it may run; empty: wherever this process may
  std::string folder = {};         ///< where it starts; empty: where this process is
  int inherited = -1;              ///< borrowed: the child has it too, as kInheritedFd; -1: none
};

/// The descriptor on which a child finds the pipe that `announcements()` reads.
inline constexpr int kAnnounceFd = 3;
/// The descriptor on which a child finds Command::inherited.
inline constexpr int kInheritedFd = 4;

/// A child process, the pipes to it and how it ended. Owned by the thread that started it.
///
/// The child has a process group of its own, so that a Ctrl-C at the terminal reaches this process
/// alone, and is killed by the kernel when the thread that started it dies (prctl(2),
/// PR_SET_PDEATHSIG). Nothing here waits; wait_for() does.
class Process {
 public:
  /// Starts `command`; a program that cannot be run shows as a child that ends with 127. Throws
  /// std::system_error when the kernel has no room for another process.
  explicit Process(const Command& command);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(Process&&) = delete;
  /// Kills the child if it is still there, and reaps it.
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Sends `signal` unless the child has ended. Never hits another process of the same number.
  void send(int signal) const;
  /// How it ended, 128 + N for signal N; nothing while it runs or its end was not waited for.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }

  PipeReader& output() { return output_; }
  PipeReader& announcements() { return announcements_; }
  /// The end of what it wrote to stderr, as one line; empty when it wrote nothing.
  [[nodiscard]] std::string last_words() const;

 private:
  friend class PollSet;
  void reap();
  void collect_exit_code();

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  PipeReader output_;
  PipeReader errors_;
  PipeReader announcements_;
  std::optional<int> exit_code_;
};

/// Why wait_for() returned.
enum class Wake { happened, deadline, interrupted };

/// Takes in what `processes` write and how they end until `happened()` holds.
///
/// Gives up at `deadline`, or when the descriptor `interrupt` becomes readable (-1: never).
/// `happened` is asked once before anything is waited for and after each change.
Wake wait_for(std::span<Process* const> processes, int interrupt, Clock::time_point deadline,
              const std::function<bool()>& happened);
inline Wake wait_for(std::initializer_list<Process*> processes, int interrupt,
                     Clock::time_point deadline, const std::function<bool()>& happened) {
  return wait_for(std::span(processes.begin(), processes.size()), interrupt, deadline, happened);
}

/// Ends a child: SIGTERM, then SIGKILL when it has not ended after `patience`. Returns its code.
int end_process(Process& process, std::chrono::nanoseconds patience);

}  // namespace muxlab
