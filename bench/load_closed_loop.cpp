#include "bench/load_closed_loop.hpp"

#include <algorithm>
#include <limits>

namespace muxlab {
namespace {

constexpr std::uint64_t kStarted = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kEnded = kStarted - 1;
/// Something may come all the time and yet never be enough.
constexpr int kMaxGraces = 10;

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
    for (const epoll_event& event : connections_.wait(-1)) on_event(event);
  }
  await_the_rest();
  give_up_the_rest();
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

void ClosedLoop::await_the_rest() {
  const auto is_due = [](const LoadConnection& connection) {
    return connection.is_established && connection.fd && !connection.stream.is_quiet();
  };
  const std::int64_t grace_ns = options_.grace.count();
  const std::int64_t last_ns = monotonic_ns() + kMaxGraces * grace_ns;
  std::int64_t until_ns = monotonic_ns() + grace_ns;
  while (std::ranges::any_of(connections_.active(), is_due)) {
    const std::int64_t left_ns = std::min(until_ns, last_ns) - monotonic_ns();
    if (left_ns <= 0) return;
    const std::uint64_t before = connections_.tally().bytes_received;
    const auto events = connections_.wait(static_cast<int>(left_ns / 1'000'000 + 1));
    for (const epoll_event& event : events) on_event(event);
    if (connections_.tally().bytes_received != before) until_ns = monotonic_ns() + grace_ns;
  }
}

void ClosedLoop::give_up_the_rest() {
  for (LoadConnection& connection : connections_.active()) {
    if (!connection.is_established || !connection.fd || connection.stream.is_quiet()) continue;
    // Each has completed the one message that it was established with.
    if (connection.stream.completed() > options_.size_bytes) {
      connections_.fail(connection, LoadError::unanswered, "not all that was sent came back");
    } else {
      connections_.fail(connection, LoadError::timeout, "no reply during the whole run");
    }
  }
  connections_.close_all();
}

}  // namespace muxlab
