#include "bench/load_closed_loop.hpp"

#include <algorithm>

namespace muxlab {

ClosedLoop::ClosedLoop(LoadConnections& connections, const Timeline& timeline,
                       const ClosedLoopOptions& options)
    : LoadLoop(connections, timeline, options.size_bytes, options.grace),
      depth_(options.depth),
      starts_ns_(connections.active().size() * options.depth) {}

void ClosedLoop::start() {
  for (LoadConnection& connection : connections_.active()) {
    if (!connection.fd) continue;
    std::fill_n(starts_of(connection), depth_, monotonic_ns());
    connection.stream.extend(depth_ * size_bytes_);
    connections_.flush(connection);
  }
}

void ClosedLoop::on_received(LoadConnection& connection) {
  EchoStream& stream = connection.stream;
  if (!stream.complete(size_bytes_)) return;
  const std::int64_t now_ns = monotonic_ns();
  const bool is_measured = timeline_.measures(now_ns);
  LoadTally& tally = connections_.tally();
  do {
    std::int64_t& began_ns = starts_of(connection)[connection.slot];
    if (is_measured) {
      ++tally.echoes;
      tally.latency_ns.record(static_cast<std::uint64_t>(now_ns - began_ns));
    }
    began_ns = now_ns;
    connection.slot = connection.slot + 1 == depth_ ? 0 : connection.slot + 1;
    if (is_sending()) stream.extend(size_bytes_);
  } while (stream.complete(size_bytes_));
  connections_.flush(connection);
}

std::int64_t* ClosedLoop::starts_of(const LoadConnection& connection) {
  return starts_ns_.data() + connections_.index_of(connection) * depth_;
}

}  // namespace muxlab
