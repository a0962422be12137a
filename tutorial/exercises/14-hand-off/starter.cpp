#include "tutorial/exercises/14-hand-off/hand_off.hpp"

namespace muxlab::exercise {

void HandOff::push(UniqueFd socket) {
  // To be written.
  socket.reset();
}

std::optional<UniqueFd> HandOff::take() {
  // To be written.
  return {};
}

}  // namespace muxlab::exercise
