#include <utility>

#include "tutorial/exercises/14-hand-off/hand_off.hpp"

namespace muxlab::exercise {

// A queue as one thread alone might use it. To be written: what keeps two threads from each other,
// and what wakes the one that serves.

void HandOff::push(UniqueFd socket) { waiting_.push_back(std::move(socket)); }

std::optional<UniqueFd> HandOff::take() {
  if (waiting_.empty()) return {};
  std::optional<UniqueFd> oldest = std::move(waiting_.front());
  waiting_.pop_front();
  return oldest;
}

}  // namespace muxlab::exercise
