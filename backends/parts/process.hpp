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

/// A program to run, and where.
struct Command {
  std::vector<std::string> words;  ///< the first is the program: a path, or a name found in PATH
  std::vector<int> processors;     ///< where it may run; empty: as this process
  std::string folder = {};         ///< its working folder; empty: that of this process
  int inherited = -1;              ///< borrowed: the child gets it as kInheritedFd; -1: none
  /// For muxlab itself: the child inherits the environment, so that EVENT_NOEPOLL or LD_PRELOAD
  /// affect both. Other programs get a fixed one, so that no setting changes their output:
  /// LC_ALL=C.UTF-8, TERM=dumb, the absolute folders of PATH, LD_LIBRARY_PATH and TMPDIR.
  bool shares_environment = false;
};

/// The descriptor of Command::inherited in the child.
inline constexpr int kInheritedFd = 3;

/// Collects the text that a child writes to a pipe.
///
/// Keeps the newest `max_bytes` only, so that a child that babbles costs no memory.
class PipeReader {
 public:
  explicit PipeReader(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Makes the pipe. Returns the child's end, close-on-exec. Throws std::system_error.
  UniqueFd open();
  /// Returns -1 once the writer has closed its end.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Reads all available text; never waits.
  void drain();
  /// Takes the oldest whole line, without its end; nothing if none is complete.
  std::optional<std::string> take_line();
  /// Returns the text that was read and not taken.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  UniqueFd fd_;
  std::size_t max_bytes_;
  std::string text_;
};

/// Why wait_for() returned.
enum class Wake { happened, deadline, interrupted };

/// A child process, its output pipes and its exit status. Owned by the thread that started it.
///
/// The child has a process group of its own, so that a Ctrl-C at the terminal reaches this process
/// alone. The kernel kills it when the thread that started it dies (prctl(2), PR_SET_PDEATHSIG).
/// Only wait_for() and the destructor wait. If pidfd_open(2) is forbidden, wait_for() checks for
/// the end of the child a hundred times a second.
class Process {
 public:
  /// Starts `command`. A program that cannot be run shows as a child that ends with 127. Throws
  /// std::system_error if the kernel has no room for another process.
  explicit Process(const Command& command);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&&) = delete;
  Process& operator=(Process&&) = delete;
  /// Kills the child if it still runs, and reaps it.
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Sends `signal` unless the child has ended. Never hits another process of the same number,
  /// because the kernel keeps the number until this object reaps the child.
  void send(int signal) const;
  /// Returns the exit status, 128 + N for signal N; nothing while the child runs or its end was not
  /// seen.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }

  PipeReader& output() { return output_; }
  PipeReader& errors() { return errors_; }
  /// Returns the end of its output on stderr, as one line; empty if there is none.
  [[nodiscard]] std::string last_words() const;

 private:
  friend Wake wait_for(Process& process, int interrupt, Clock::time_point deadline,
                       const std::function<bool()>& happened);
  Wake await_change(int interrupt, Clock::time_point deadline);
  void collect_exit_code(int options);

  pid_t pid_ = -1;
  UniqueFd pidfd_;  ///< none if forbidden
  PipeReader output_{1 << 20};
  PipeReader errors_{4096};
  std::optional<int> exit_code_;
};

/// Collects the output and exit status of `process` until `happened()` holds.
///
/// Gives up at `deadline`, or when the descriptor `interrupt` becomes readable (-1: never). Calls
/// `happened` once before it waits and after each change.
Wake wait_for(Process& process, int interrupt, Clock::time_point deadline,
              const std::function<bool()>& happened);

/// The processors of server and load.
struct Processors {
  std::vector<int> server;
  std::vector<int> client;

  bool operator==(const Processors&) const = default;
};

/// Returns the processors that this process may run on, in ascending order (sched_getaffinity(2)).
std::vector<int> allowed_processors();

/// Divides `allowed`: the server gets one per thread but leaves at least one to the client, which
/// gets all the others. A single processor is shared by both.
Processors share_processors(std::span<const int> allowed, std::uint64_t server_threads);

}  // namespace muxlab
