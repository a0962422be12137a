#include "backends/parts/failure.hpp"
#include "tutorial/exercises/04-select-set/selector.hpp"

namespace muxlab::exercise {

void Selector::add(int fd) {
  FD_SET(fd, &watched_);
  fds_.insert(fd);
}

void Selector::remove(int fd) {
  FD_CLR(fd, &watched_);
  fds_.erase(fd);
}

std::vector<int> Selector::ready_now() {
  std::vector<int> ready;
  if (fds_.empty()) return ready;
  const int highest = *fds_.rbegin();
  fd_set set = watched_;  // select(2) leaves only what is ready in it: it works on a copy
  timeval at_once{};      // and on Linux it writes here too: the time that was left
  // Not how many there are, and not the highest, but one more.
  checked(::select(highest + 1, &set, nullptr, nullptr, &at_once), "select");
  for (const int fd : fds_) {
    if (FD_ISSET(fd, &set)) ready.push_back(fd);
  }
  return ready;
}

}  // namespace muxlab::exercise
