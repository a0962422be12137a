#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

using Clock = std::chrono::steady_clock;

/// What to run, and where.
struct Command {
  std::vector<std::string> words;  ///< the first is the program: a path, or a name found in PATH
  std::vector<int> processors;     ///< where it may run; empty: wherever this process may
  std::string folder = {};         ///< where it starts; empty: where this process is
  int inherited = -1;              ///< borrowed: the child has it too, as kInheritedFd; -1: none
  /// For muxlab itself: the child has the environment of this process, so that EVENT_NOEPOLL or
  /// LD_PRELOAD mean the same to both. Other programs have a fixed one: LC_ALL=C.UTF-8, the
  /// absolute folders of PATH, LD_LIBRARY_PATH and TMPDIR, so that no setting changes what they
  /// write.
  bool shares_environment = false;
};

/// The descriptor on which a child finds Command::inherited.
inline constexpr int kInheritedFd = 3;

/// The text that has come through a pipe from a child so far.
///
/// Keeps the newest `max_bytes` only, so that a child that babbles costs no memory.
class PipeReader {
 public:
  explicit PipeReader(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Makes the pipe; returns the end for the child, close-on-exec. Throws std::system_error.
  UniqueFd open();
  /// -1 once the writer has closed its end.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes in all that is there now; never waits.
  void drain();
  /// The oldest whole line, without its end; nothing while none is complete.
  std::optional<std::string> take_line();
  /// What was read and not taken.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  UniqueFd fd_;
  std::size_t max_bytes_;
  std::string text_;
};

/// Why wait_for() returned.
enum class Wake { happened, deadline, interrupted };

/// A child process, the pipes to it and how it ended. Owned by the thread that started it.
///
/// The child has a process group of its own, so that a Ctrl-C at the terminal reaches this process
/// alone, and is killed by the kernel when the thread that started it dies (prctl(2),
/// PR_SET_PDEATHSIG). Nothing here waits; wait_for() does. Where pidfd_open(2) is forbidden, the
/// end of a child is looked for a hundred times a second.
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
  /// Sends `signal` unless the child has ended. Never hits another process of the same number: the
  /// kernel keeps the number until the child is reaped, here.
  void send(int signal) const;
  /// How it ended, 128 + N for signal N; nothing while it runs or its end was not waited for.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }

  PipeReader& output() { return output_; }
  PipeReader& errors() { return errors_; }
  /// The end of what it wrote to stderr, as one line; empty when it wrote nothing.
  [[nodiscard]] std::string last_words() const;

 private:
  friend Wake wait_for(Process& process, int interrupt, Clock::time_point deadline,
                       const std::function<bool()>& happened);
  Wake await_change(int interrupt, Clock::time_point deadline);
  void collect_exit_code(int options);

  pid_t pid_ = -1;
  UniqueFd pidfd_;  ///< none where it is forbidden
  PipeReader output_{1 << 20};
  PipeReader errors_{4096};
  std::optional<int> exit_code_;
};

/// Takes in what `process` writes and how it ends until `happened()` holds.
///
/// Gives up at `deadline`, or when the descriptor `interrupt` becomes readable (-1: never).
/// `happened` is asked once before anything is waited for and after each change.
Wake wait_for(Process& process, int interrupt, Clock::time_point deadline,
              const std::function<bool()>& happened);

/// Which processors server and load run on.
struct Processors {
  std::vector<int> server;
  std::vector<int> client;

  bool operator==(const Processors&) const = default;
};

/// The processors that this process may run on, in ascending order (sched_getaffinity(2)).
std::vector<int> allowed_processors();

/// Shares `allowed` out: the server gets one per thread but leaves at least one to the client,
/// which has all the others. With a single processor both have to share it.
Processors share_processors(std::span<const int> allowed, std::uint64_t server_threads);

}  // namespace muxlab
