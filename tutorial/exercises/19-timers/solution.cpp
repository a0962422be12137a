#include <algorithm>

#include "tutorial/exercises/19-timers/deadlines.hpp"

namespace muxlab::exercise {

void Deadlines::set(int fd, Time due) {
  // Or the deadline that it had would still fire. (By its descriptor it would be found faster: the
  // suite links connections in the order of their last activity, in backends/parts/idle_list.hpp.)
  cancel(fd);
  by_time_.emplace(due, fd);
}

void Deadlines::cancel(int fd) {
  std::erase_if(by_time_, [fd](const auto& entry) { return entry.second == fd; });
}

int Deadlines::wait_ms(Time now) const {
  using Milliseconds = std::chrono::milliseconds;
  if (by_time_.empty()) return -1;
  const Time left = std::max(by_time_.begin()->first - now, Time(0));
  // duration_cast rounds down: with half a millisecond left it says 0, which is not to sleep at
  // all, and the loop spins until the deadline.
  return static_cast<int>(std::chrono::ceil<Milliseconds>(left).count());
}

std::vector<int> Deadlines::take_due(Time now) {
  std::vector<int> due;
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    due.push_back(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
  return due;
}

}  // namespace muxlab::exercise
