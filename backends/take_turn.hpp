#pragma once

#include "backends/connection_source.hpp"
#include "backends/poller.hpp"

namespace muxlab {

/// One turn at a source that `poller` waits for: calls `take_one` until it returns false,
/// kTakesPerTurn times at most, and then has the poller wait for what the source is to be waited
/// for next.
template <typename TakeOne>
void take_turn(Poller& poller, const ConnectionSource& source, TakeOne take_one) {
  const int waited_for = source.fd();
  bool may_have_more = true;
  for (int taken = 0; may_have_more && taken < kTakesPerTurn; ++taken) may_have_more = take_one();
  // Adding it again reports what is left, which edge-triggered nothing else would.
  if (may_have_more || source.fd() != waited_for) {
    poller.remove(waited_for);
    poller.add_exclusive(source.fd());
  }
}

}  // namespace muxlab
