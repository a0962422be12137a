#pragma once

#include <sys/select.h>

#include <set>
#include <vector>

namespace muxlab::exercise {

/// Watches descriptors below FD_SETSIZE for something to read, with select(2).
class Selector {
 public:
  Selector() { FD_ZERO(&watched_); }

  void add(int fd);
  void remove(int fd);

  /// Those that are readable now. It does not wait, so that the check never hangs.
  std::vector<int> ready_now();

 private:
  fd_set watched_{};
  std::set<int> fds_;
};

}  // namespace muxlab::exercise
