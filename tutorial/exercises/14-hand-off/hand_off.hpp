#pragma once

#include <sys/eventfd.h>

#include <deque>
#include <mutex>
#include <optional>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab::exercise {

/// Connections on their way from the thread that accepts to one that serves, as in memcached: a
/// locked queue, and an eventfd that wakes the one that serves.
///
/// The eventfd is readable as long as there may be something in the queue: from the push() that
/// found it empty until the take() that finds it empty again. A burst costs one write(2).
class HandOff {
 public:
  /// What take() is to be waited for with.
  [[nodiscard]] int fd() const { return eventfd_.get(); }

  /// Called by the accepting thread.
  void push(UniqueFd socket);

  /// Called by the serving thread: the oldest, or nothing when the queue is empty.
  std::optional<UniqueFd> take();

 private:
  UniqueFd eventfd_{checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")};
  std::mutex mutex_;
  std::deque<UniqueFd> waiting_;
};

}  // namespace muxlab::exercise
