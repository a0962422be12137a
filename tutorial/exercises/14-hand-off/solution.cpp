#include <unistd.h>

#include <cstdint>
#include <utility>

#include "tutorial/exercises/14-hand-off/hand_off.hpp"

namespace muxlab::exercise {

void HandOff::push(UniqueFd socket) {
  const std::lock_guard lock(mutex_);
  const bool was_empty = waiting_.empty();
  waiting_.push_back(std::move(socket));
  if (!was_empty) return;  // it is awake already, or will be
  const std::uint64_t one = 1;
  static_cast<void>(::write(eventfd_.get(), &one, sizeof one) > 0);
}

std::optional<UniqueFd> HandOff::take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    // Under the lock. Otherwise a push() could come between the look and the read(2), which would
    // take its wake-up away, and the connection would lie there until the next one.
    std::uint64_t count = 0;
    static_cast<void>(::read(eventfd_.get(), &count, sizeof count) > 0);
    return {};
  }
  std::optional<UniqueFd> oldest = std::move(waiting_.front());
  waiting_.pop_front();
  return oldest;
}

}  // namespace muxlab::exercise
