#include "tutorial/exercises/20-stalled-load/load.hpp"

namespace muxlab::exercise {

std::vector<Time> measure(Connection& connection, int count, Time interval) {
  std::vector<Time> latencies;
  for (int i = 0; i < count; ++i) {
    // When the server stalls the requests that were due meanwhile are not sent, since the only
    // connection waits for its answer: not to count that they waited too would leave out just those
    // that the stall hit. The schedule goes on, whatever the server does.
    const Time due = i * interval;
    connection.sleep_until(due);
    connection.exchange();
    latencies.push_back(connection.now() - due);
  }
  return latencies;
}

}  // namespace muxlab::exercise
