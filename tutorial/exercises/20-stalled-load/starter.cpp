#include "tutorial/exercises/20-stalled-load/load.hpp"

namespace muxlab::exercise {

std::vector<Time> measure(Connection& connection, int count, Time interval) {
  std::vector<Time> latencies;
  for (int i = 0; i < count; ++i) {
    const Time sent = connection.now();
    connection.exchange();
    latencies.push_back(connection.now() - sent);
    connection.sleep_until(sent + interval);
  }
  return latencies;
}

}  // namespace muxlab::exercise
