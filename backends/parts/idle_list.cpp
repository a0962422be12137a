#include "backends/parts/idle_list.hpp"

#include <algorithm>

namespace muxlab {

using namespace std::chrono_literals;

IdleList::Duration IdleList::tick_for(Duration timeout) {
  return std::clamp<Duration>(timeout / 8, 10ms, 1s);
}

/// If so, gives it another time-out.
bool IdleList::still_receives(int fd) {
  SendProgress progress = entries_[fd].progress;
  if (!progress.goes_on(fd)) return false;
  unlink(fd);
  append(fd);
  entries_[fd].progress = progress;
  return true;
}

void IdleList::append(int fd) {
  entries_[fd] = {.older = newest_, .newer = -1, .last_tick = now_, .linked = true};
  (newest_ >= 0 ? entries_[newest_].newer : oldest_) = fd;
  newest_ = fd;
}

void IdleList::unlink(int fd) {
  const Entry entry = entries_[fd];
  (entry.older >= 0 ? entries_[entry.older].newer : oldest_) = entry.newer;
  (entry.newer >= 0 ? entries_[entry.newer].older : newest_) = entry.older;
  entries_[fd] = Entry{};
}

}  // namespace muxlab
