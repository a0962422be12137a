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
  timeval at_once{};
  checked(::select(highest, &watched_, nullptr, nullptr, &at_once), "select");
  for (const int fd : fds_) {
    if (FD_ISSET(fd, &watched_)) ready.push_back(fd);
  }
  return ready;
}

}  // namespace muxlab::exercise
