#include "bench/load_closed_loop.hpp"

#include <algorithm>
#include <limits>

#include "bench/load_rest.hpp"

namespace muxlab {
namespace {

constexpr std::uint64_t kStarted = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kEnded = kStarted - 1;

}  // namespace

ClosedLoop::ClosedLoop(LoadConnections& connections, const Timeline& timeline,
                       const ClosedLoopOptions& options)
    : connections_(connections),
      timeline_(timeline),
      options_(options),
      starts_ns_(connections.active().size() * options.depth) {}

void ClosedLoop::run() {
  connections_.watch(timeline_.started(), kStarted);
  connections_.watch(timeline_.ended(), kEnded);
  while (is_sending_) {
    for (const epoll_event& event : connections_.wait(LoadConnections::kForever)) on_event(event);
  }
  await_the_rest(connections_, options_.grace, [this](const epoll_event& e) { on_event(e); });
  give_up_the_rest(connections_, options_.size_bytes);
}

void ClosedLoop::on_event(const epoll_event& event) {
  if (event.data.u64 == kStarted) {
    connections_.unwatch(timeline_.started());
    return start_all();
  }
  if (event.data.u64 == kEnded) {
    is_sending_ = false;
    return connections_.unwatch(timeline_.ended());
  }
  LoadConnection& connection = connections_.at(event.data.u64);
  if ((event.events & ~EPOLLOUT) != 0) on_readable(connection);
  if ((event.events & EPOLLOUT) != 0 && connection.fd) connections_.flush(connection);
}

void ClosedLoop::on_readable(LoadConnection& connection) {
  if (!connections_.receive(connection)) return;
  EchoStream& stream = connection.stream;
  if (!stream.complete(options_.size_bytes)) return;
  const std::int64_t now_ns = monotonic_ns();
  const bool is_measured = timeline_.measures(now_ns);
  LoadTally& tally = connections_.tally();
  do {
    std::int64_t& began_ns = start_ns(connection);
    if (is_measured) {
      ++tally.echoes;
      tally.latency_ns.record(static_cast<std::uint64_t>(now_ns - began_ns));
    }
    began_ns = now_ns;
    connection.slot = connection.slot + 1 == options_.depth ? 0 : connection.slot + 1;
    if (is_sending_) stream.extend(options_.size_bytes);
  } while (stream.complete(options_.size_bytes));
  if (!connection.awaits_writable) connections_.flush(connection);
}

std::int64_t& ClosedLoop::start_ns(const LoadConnection& connection) {
  const auto index = static_cast<std::size_t>(&connection - connections_.active().data());
  return starts_ns_[index * options_.depth + connection.slot];
}

void ClosedLoop::start_all() {
  if (!is_sending_) return;  // it has been interrupted in the meantime
  const auto active = connections_.active();
  for (std::size_t i = 0; i < active.size(); ++i) {
    if (!active[i].fd) continue;
    std::fill_n(starts_ns_.data() + i * options_.depth, options_.depth, monotonic_ns());
    active[i].stream.extend(options_.depth * options_.size_bytes);
    connections_.flush(active[i]);
  }
}

}  // namespace muxlab
