#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "backends/failure.hpp"
#include "bench/process.hpp"

namespace muxlab {

/// The descriptors of some processes, for one poll(2).
class PollSet {
 public:
  PollSet(std::span<Process* const> processes, int interrupt)
      : processes_(processes), interrupt_(interrupt) {}

  /// Waits for any of them to move and takes that in. False: interrupted, or at the deadline.
  Wake step(Clock::time_point deadline) {
    collect();
    const int ready = ::poll(polled_.data(), polled_.size(), timeout_ms(deadline));
    if (ready < 0 && errno != EINTR) throw_errno("poll");
    if (polled_.front().revents != 0) return Wake::interrupted;
    if (ready == 0 && Clock::now() >= deadline) return Wake::deadline;
    for (Process* process : processes_) take_in(*process);
    return Wake::happened;
  }

 private:
  void collect() {
    polled_.assign(1, pollfd{interrupt_, POLLIN, 0});
    for (const Process* process : processes_) {
      if (process->exit_code()) continue;
      // poll(2) passes over the -1 of a pipe that has ended.
      for (const int fd : {process->pidfd_.get(), process->output_.fd(), process->errors_.fd(),
                           process->announcements_.fd()}) {
        polled_.push_back({fd, POLLIN, 0});
      }
    }
  }

  void take_in(Process& process) {
    process.output_.drain();
    process.errors_.drain();
    process.announcements_.drain();
    const int pidfd = process.pidfd_.get();
    const bool ended = std::any_of(polled_.begin() + 1, polled_.end(), [pidfd](const pollfd& p) {
      return p.fd == pidfd && p.revents != 0;
    });
    if (ended) process.reap();
  }

  /// Rounded up: a deadline a moment away must not turn into a busy loop of zero waits.
  static int timeout_ms(Clock::time_point deadline) {
    if (deadline == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  }

  std::span<Process* const> processes_;
  int interrupt_;
  std::vector<pollfd> polled_;
};

Wake wait_for(std::span<Process* const> processes, int interrupt, Clock::time_point deadline,
              const std::function<bool()>& happened) {
  PollSet set(processes, interrupt);
  while (!happened()) {
    if (const Wake wake = set.step(deadline); wake != Wake::happened) return wake;
  }
  return Wake::happened;
}

}  // namespace muxlab
