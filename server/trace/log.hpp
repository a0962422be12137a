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

/// Whether a thread sleeps, by its file in /proc/self/task; proc(5). The file stays open: one that
/// comes and goes would change the numbers of the descriptors that a server gets. Any thread may
/// ask.
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

/// What happened, in the order in which it did.
struct Event {
  enum class Kind : std::uint8_t {
    step,      ///< somebody else did something
    waits,     ///< the server was found asleep in a call
    returned,  ///< a call of the server has returned
  };
  Kind kind;
  /// Since the first thread of the server began; of a call, when it returned.
  std::uint64_t at_ns = 0;
  std::string who = "server";
  std::string step = {};       ///< of a step: what was done
  TracedCall call = {};        ///< of the others; while it waits, without what comes of it
  std::uint64_t began_ns = 0;  ///< of the others
  bool was_waiting = false;    ///< of a return: it was found asleep before
};

/// The calls of the server's threads as they make them, and what others note. Any thread.
class TraceLog final : public CallWatcher {
 public:
  /// The threads that there are now are not the server's; those that come are.
  TraceLog();

  void name_descriptor(int fd, std::string name);
  /// `connects` is the client that connects with this step, if one does.
  void note_step(std::string who, std::string step, const std::string& connects = "");
  /// Notes in which calls the threads sleep that are not known to.
  void note_waiting();

  /// Whether every thread of the server sleeps in a call, so that nothing happens until somebody
  /// else does something, or there is none any more.
  bool is_still();
  [[nodiscard]] bool has_threads();
  /// The CPU time of the server's threads: the same twice when none of them ran in between.
  std::uint64_t cpu_ns();

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
  /// What tells of each thread whether it sleeps; empty when one is in no call that may.
  std::optional<std::vector<const SleepWatch*>> sleeps_of_threads_in_calls();
  /// A thread that is not known may be the server's, and not counted yet.
  [[nodiscard]] bool has_unknown_threads() const;

  std::mutex mutex_;
  std::uint64_t began_ns_ = 0;
  ThreadList all_threads_;
  std::vector<pid_t> strangers_;
  std::deque<Thread> threads_;  ///< stay where they are
  std::vector<Event> events_;
  std::uint64_t changes_ = 0;  ///< begins and ends of calls and threads
  Decoder decoder_;
};

}  // namespace muxlab::trace
