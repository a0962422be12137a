#pragma once

#include <dirent.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backends/counting/call_observer.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/trace/call.hpp"
#include "server/trace/decoder.hpp"

namespace muxlab::trace {

/// Reports whether a thread sleeps, by its files in /proc/self/task (proc(5)). The files stay open,
/// because opening them later would change the descriptor numbers of the server. Thread: any.
class SleepWatch {
 public:
  /// Watches the calling thread.
  SleepWatch();

  /// Returns whether the thread sleeps until it is woken. Returns false for a thread that is about
  /// to sleep, is stopped by a debugger or has ended, and without a readable stat file.
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

  /// Returns the ids of the current threads, including those that the kernel runs for the process.
  [[nodiscard]] std::vector<pid_t> ids() const;

 private:
  struct Close {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  std::unique_ptr<DIR, Close> folder_;
};

/// Returns whether io_uring runs this thread in this process, by the thread's name.
bool is_kernel_thread(pid_t thread);

struct Event {
  enum class Kind : std::uint8_t {
    step,      ///< a client or muxlab performed a step
    waits,     ///< the server was found asleep in a call
    returned,  ///< a call of the server has returned
  };
  Kind kind;
  /// Since the first thread of the server began. For `waits`, when the call began.
  std::uint64_t at_ns = 0;
  std::string actor = "server";
  std::string step = {};       ///< only of a step
  TracedCall call = {};        ///< not of a step; for `waits` without results
  std::uint64_t began_ns = 0;  ///< not of a step
  bool was_waiting = false;    ///< of `returned`: an event `waits` came before
};

/// Logs the calls of the server's threads and the steps in between, in order. Thread: any.
class TraceLog final : public CallWatcher {
 public:
  /// The current threads of the process are not the server's; later ones are.
  TraceLog();

  void name_descriptor(int fd, std::string name);
  /// Logs a step. `connects` names the client that connects with it, if any.
  void note_step(std::string actor, std::string step, const std::string& connects = "");
  /// Logs `waits` for each thread in a call, once per call. Requires is_still().
  void note_waiting();

  /// Returns whether every live thread of the server sleeps in a call, or none is left. The server
  /// then does nothing before the next step.
  bool is_still();
  /// Returns whether a registered thread of the server lives.
  [[nodiscard]] bool has_threads();
  /// Returns the CPU time of the server's threads. It is unchanged if none of them ran.
  std::uint64_t cpu_ns();

  /// Returns the logged events, and removes them from the log.
  std::vector<Event> take_events();
  std::vector<std::pair<std::string, int>> descriptors();
  std::vector<pid_t> threads();

  void thread_begins() override;
  void thread_ends() override;
  void begins(const MadeCall& made) override;
  void returned(const MadeCall& made, std::int64_t result, int error) override;

 private:
  struct Thread {
    pid_t id;
    SleepWatch sleep;
    clockid_t cpu_clock;
    bool over = false;
    bool in_call = false;
    bool known_to_wait = false;
    TracedCall call = {};
    std::uint64_t began_ns = 0;
  };

  [[nodiscard]] std::uint64_t now_ns() const;
  /// Returns the watch of each thread; nullopt if any thread is in no call that may sleep.
  std::optional<std::vector<const SleepWatch*>> sleeps_of_threads_in_calls();
  /// An unknown thread may be one of the server's that is not counted yet.
  [[nodiscard]] bool has_unknown_threads() const;

  std::mutex mutex_;
  std::uint64_t began_ns_ = 0;
  ThreadList all_threads_;
  std::vector<pid_t> strangers_;
  std::deque<Thread> threads_;  ///< a deque, because is_still() keeps pointers without the lock
  std::vector<Event> events_;
  std::uint64_t changes_ = 0;  ///< counts begins and ends of calls and threads
  Decoder decoder_;
};

}  // namespace muxlab::trace
