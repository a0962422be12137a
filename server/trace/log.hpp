#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backends/counting/call_observer.hpp"
#include "server/trace/call.hpp"
#include "server/trace/decoder.hpp"
#include "server/trace/sleep.hpp"

namespace muxlab::trace {

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
