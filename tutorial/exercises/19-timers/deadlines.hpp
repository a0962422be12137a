#pragma once

#include <chrono>
#include <map>
#include <vector>

namespace muxlab::exercise {

/// The time-outs of a loop's connections. Time is what the caller says: no clock is read here.
class Deadlines {
 public:
  using Time = std::chrono::nanoseconds;  ///< since some fixed point

  /// `fd` is due then. Where it had a deadline, this one takes its place.
  void set(int fd, Time due);
  void cancel(int fd);

  /// For how many milliseconds epoll_wait(2) has to sleep until the first is due, which takes whole
  /// ones; -1, for ever, without deadlines.
  [[nodiscard]] int wait_ms(Time now) const;

  /// Those that are due by now, the earliest first; their deadlines are gone.
  std::vector<int> take_due(Time now);

 private:
  std::multimap<Time, int> by_time_;
};

}  // namespace muxlab::exercise
