#include "bench/load/loop.hpp"

#include <algorithm>

namespace muxlab {
namespace {

bool is_awaited(const LoadConnection& connection) {
  return connection.fd && (connection.is_ending || !connection.stream.is_quiet());
}

LoadError error_of(const LoadConnection& connection, std::uint64_t size_bytes) {
  // Each connection has completed the message that established it.
  const bool has_replied = connection.stream.completed() > size_bytes || connection.is_ending;
  return has_replied ? LoadError::unanswered : LoadError::timeout;
}

std::string_view reason_of(const LoadConnection& connection, LoadError error) {
  if (connection.is_ending) return "the server did not end it";
  return error == LoadError::unanswered ? "not all that was sent came back"
                                        : "no reply during the whole run";
}

}  // namespace

void LoadLoop::run_loop() {
  connections_.watch(timeline_.started(), Timeline::kStarted);
  connections_.watch(timeline_.ended(), Timeline::kEnded);
  while (!has_ended_) {
    const auto events = connections_.wait(until_next_ns());
    do_what_is_due();
    for (const LoadEvent& event : events) on_event(event);
  }
  await_the_rest();
  count_shares();
  give_up_the_rest();
}

/// Returns the time to wait until `until_ns`, or until do_what_is_due() must run before that.
std::int64_t LoadLoop::wait_until_ns(std::int64_t until_ns) const {
  const std::int64_t left_ns = std::max<std::int64_t>(until_ns - monotonic_ns(), 0);
  const std::int64_t next_ns = until_next_ns();
  return next_ns == LoadConnections::kForever ? left_ns : std::min(left_ns, next_ns);
}

void LoadLoop::run_slice(std::int64_t duration_ns, std::uint64_t least_bytes) {
  const LoadTally& tally = connections_.tally();
  const std::int64_t stop_ns = monotonic_ns() + duration_ns;
  const std::uint64_t enough = tally.bytes_received + least_bytes;
  std::int64_t give_up_ns = stop_ns + grace_.count();
  has_started_ = true;
  start();
  while (!has_ended_ && tally.first_error.empty()) {
    const std::uint64_t before = tally.bytes_received;
    const auto events = connections_.wait(wait_until_ns(before < enough ? give_up_ns : stop_ns));
    do_what_is_due();
    const std::int64_t now_ns = monotonic_ns();
    has_ended_ = (now_ns >= stop_ns && tally.bytes_received >= enough) || now_ns >= give_up_ns;
    for (const LoadEvent& event : events) on_event(event);
    if (tally.bytes_received != before) give_up_ns = std::max(stop_ns, now_ns) + grace_.count();
  }
  if (tally.first_error.empty()) await_the_rest();
  count_shares();
}

void LoadLoop::count_shares() {
  LoadTally& tally = connections_.tally();
  for (const LoadConnection& connection : connections_.active()) {
    if (!connection.is_established || !connection.fd) continue;
    const auto messages =
        static_cast<double>(connection.stream.completed()) / static_cast<double>(size_bytes_);
    tally.shares += 1;
    tally.share_sum += messages;
    tally.share_square_sum += messages * messages;
  }
}

void LoadLoop::on_event(const LoadEvent& event) {
  if (event.id == Timeline::kStarted) {
    connections_.unwatch(timeline_.started(), Timeline::kStarted);
    has_started_ = true;
    if (!has_ended_) start();  // else the run was interrupted at once
    return;
  }
  if (event.id == Timeline::kEnded) {
    // Messages that were due are part of the load, even if this thread sees the start only now.
    do_what_is_due();
    has_ended_ = true;
    return connections_.unwatch(timeline_.ended(), Timeline::kEnded);
  }
  LoadConnection& connection = connections_.at(event.id);
  if (!connection.fd) return;  // it failed after wait(), during a send
  const Came came = connections_.advance(connection, event);
  if (came == Came::bytes && connection.fd) on_received(connection);
  if (came == Came::end) on_ended(connection);
}

/// Waits until every message is back, but at most for one grace time without progress, and for ten
/// grace times in all.
void LoadLoop::await_the_rest() {
  constexpr int kMaxGraces = 10;
  const std::int64_t last_ns = monotonic_ns() + kMaxGraces * grace_.count();
  std::int64_t until_ns = monotonic_ns() + grace_.count();
  while (std::ranges::any_of(connections_.active(), is_awaited)) {
    const std::int64_t left_ns = std::min(until_ns, last_ns) - monotonic_ns();
    if (left_ns <= 0) return;
    const std::uint64_t before = connections_.tally().bytes_received;
    for (const LoadEvent& event : connections_.wait(left_ns)) on_event(event);
    if (connections_.tally().bytes_received != before) until_ns = monotonic_ns() + grace_.count();
  }
}

/// Fails each connection that still misses echoes, and closes all connections.
void LoadLoop::give_up_the_rest() {
  for (LoadConnection& connection : connections_.active()) {
    if (!is_awaited(connection)) continue;
    on_given_up(connection);
    const LoadError error = error_of(connection, size_bytes_);
    connections_.fail(connection, error, reason_of(connection, error));
  }
  connections_.close_all();
}

}  // namespace muxlab
