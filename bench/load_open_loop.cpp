#include "bench/load_open_loop.hpp"

#include <algorithm>
#include <limits>
#include <thread>

#include "bench/load_rest.hpp"

namespace muxlab {
namespace {

constexpr std::uint64_t kOpenStarted = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kOpenEnded = kOpenStarted - 1;
/// The kernel wakes us up to so much too late. For so long we do not sleep, where that keeps no
/// server from its processor.
std::int64_t lateness_ns() {
  static const bool has_others = std::thread::hardware_concurrency() > 1;
  return has_others ? 60'000 : 0;
}

}  // namespace

OpenLoop::OpenLoop(LoadConnections& connections, const Timeline& timeline,
                   const OpenLoopOptions& options)
    : connections_(connections),
      timeline_(timeline),
      options_(options),
      arrivals_(options.per_s, options.gaps, options.seed),
      queues_(connections.active().size()) {}

void OpenLoop::run() {
  connections_.watch(timeline_.started(), kOpenStarted);
  connections_.watch(timeline_.ended(), kOpenEnded);
  while (!has_ended_) {
    for (const epoll_event& event : connections_.wait(until_next_ns())) {
      on_event(event);
      send_what_is_due();  // a batch of events may take longer than a gap
    }
    send_what_is_due();
  }
  await_the_rest(connections_, options_.grace, [this](const epoll_event& e) { on_event(e); });
  count_the_lost();
  give_up_the_rest(connections_, options_.size_bytes);
}

std::int64_t OpenLoop::until_next_ns() const {
  if (!has_started_) return LoadConnections::kForever;
  return std::max<std::int64_t>(arrivals_.due_ns() - monotonic_ns() - lateness_ns(), 0);
}

void OpenLoop::on_event(const epoll_event& event) {
  if (event.data.u64 == kOpenStarted) {
    connections_.unwatch(timeline_.started());
    has_started_ = true;
    return arrivals_.start(monotonic_ns(), options_.share, options_.shares);
  }
  if (event.data.u64 == kOpenEnded) {
    send_what_is_due();  // what was due before is part of the load, however late we are
    has_ended_ = true;
    return connections_.unwatch(timeline_.ended());
  }
  LoadConnection& connection = connections_.at(event.data.u64);
  if (!connection.fd) return;  // something that was sent since found it broken
  if ((event.events & ~EPOLLOUT) != 0) on_readable(connection);
  if ((event.events & EPOLLOUT) != 0 && connection.fd) connections_.flush(connection);
}

void OpenLoop::send_what_is_due() {
  if (!has_started_ || has_ended_) return;
  for (std::int64_t now_ns = monotonic_ns(); arrivals_.due_ns() <= now_ns;
       now_ns = monotonic_ns()) {
    enqueue(now_ns);
    arrivals_.advance();
  }
}

void OpenLoop::enqueue(std::int64_t now_ns) {
  const auto active = connections_.active();
  LoadConnection& connection = active[arrivals_.choose(active.size())];
  const std::int64_t due_ns = arrivals_.due_ns();
  const std::uint32_t number = connection.fd ? take_message() : kNone;
  if (number == kNone) {
    if (timeline_.measures(due_ns)) ++connections_.tally().unsent;
    return;
  }
  messages_[number] = {.due_ns = due_ns, .lag_ns = now_ns - due_ns, .sent_ns = 0, .next = kNone};
  Queue& queue = queue_of(connection);
  (queue.oldest == kNone ? queue.oldest : messages_[queue.newest].next) = number;
  queue.newest = number;
  if (queue.unsent == kNone) queue.unsent = number;
  send_what_may_be(connection, queue, now_ns);
}

void OpenLoop::send_what_may_be(LoadConnection& connection, Queue& queue, std::int64_t now_ns) {
  const std::uint64_t before = connection.stream.unsent();
  for (; queue.unsent != kNone && queue.in_flight < options_.depth; ++queue.in_flight) {
    Message& message = messages_[queue.unsent];
    message.sent_ns = now_ns;
    queue.unsent = message.next;
    connection.stream.extend(options_.size_bytes);
  }
  if (connection.stream.unsent() > before && !connection.awaits_writable) {
    connections_.flush(connection);
  }
}

std::uint32_t OpenLoop::take_message() {
  if (free_ != kNone) {
    const std::uint32_t number = free_;
    free_ = messages_[number].next;
    return number;
  }
  if (messages_.size() == kMostUnderWay) return kNone;
  messages_.emplace_back();
  return static_cast<std::uint32_t>(messages_.size() - 1);
}

void OpenLoop::on_readable(LoadConnection& connection) {
  if (!connections_.receive(connection)) return;
  if (!connection.stream.complete(options_.size_bytes)) return;
  const std::int64_t now_ns = monotonic_ns();
  Queue& queue = queue_of(connection);
  do {
    take_out_oldest(queue, now_ns);
  } while (connection.stream.complete(options_.size_bytes));
  send_what_may_be(connection, queue, now_ns);
}

void OpenLoop::take_out_oldest(Queue& queue, std::int64_t now_ns) {
  const std::uint32_t number = queue.oldest;
  Message& message = messages_[number];
  LoadTally& tally = connections_.tally();
  if (timeline_.measures(now_ns)) ++tally.echoes;
  if (timeline_.measures(message.due_ns)) {
    ++tally.offered;
    tally.latency_ns.record(static_cast<std::uint64_t>(now_ns - message.due_ns));
    tally.latency_from_send_ns.record(static_cast<std::uint64_t>(now_ns - message.sent_ns));
    tally.send_lag_ns.record(static_cast<std::uint64_t>(message.lag_ns));
  }
  queue.oldest = message.next;
  --queue.in_flight;
  message.next = free_;
  free_ = number;
}

/// Of a connection that failed, and of one that did not get everything back.
void OpenLoop::count_the_lost() {
  LoadTally& tally = connections_.tally();
  for (const Queue& queue : queues_) {
    for (std::uint32_t i = queue.oldest; i != kNone; i = messages_[i].next) {
      if (timeline_.measures(messages_[i].due_ns)) ++tally.unanswered;
    }
  }
  tally.offered += tally.unsent + tally.unanswered;
}

OpenLoop::Queue& OpenLoop::queue_of(const LoadConnection& connection) {
  return queues_[static_cast<std::size_t>(&connection - connections_.active().data())];
}

}  // namespace muxlab
