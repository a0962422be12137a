#include "bench/load_open_loop.hpp"

#include <algorithm>
#include <thread>

namespace muxlab {
namespace {

/// The kernel wakes us up to so much too late. For so long we do not sleep, where that keeps no
/// server from its processor.
std::int64_t lateness_ns() { return std::thread::hardware_concurrency() > 1 ? 60'000 : 0; }

}  // namespace

OpenLoop::OpenLoop(LoadConnections& connections, const Timeline& timeline,
                   const OpenLoopOptions& options)
    : LoadLoop(connections, timeline, options.size_bytes, options.grace),
      options_(options),
      arrivals_(options.per_s, options.gaps, options.seed),
      awake_ns_(lateness_ns()),
      queues_(connections.active().size()) {}

void OpenLoop::run() {
  run_loop();
  count_the_lost();
}

void OpenLoop::run(std::int64_t duration_ns) {
  run_slice(duration_ns, 0);
  count_the_lost();
}

void OpenLoop::start() { arrivals_.start(timeline_.started_ns(), options_.share, options_.shares); }

std::int64_t OpenLoop::until_next_ns() const {
  if (!is_sending()) return LoadConnections::kForever;
  return std::max<std::int64_t>(arrivals_.due_ns() - monotonic_ns() - awake_ns_, 0);
}

void OpenLoop::do_what_is_due() {
  if (!is_sending()) return;
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
    connection.stream.extend(size_bytes_);
  }
  if (connection.stream.unsent() > before) connections_.flush(connection);
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

void OpenLoop::on_received(LoadConnection& connection) {
  if (!connection.stream.complete(size_bytes_)) return;
  const std::int64_t now_ns = monotonic_ns();
  Queue& queue = queue_of(connection);
  do {
    take_out_oldest(queue, now_ns);
  } while (connection.stream.complete(size_bytes_));
  send_what_may_be(connection, queue, now_ns);
  do_what_is_due();  // a batch of events may take longer than a gap
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
  return queues_[connections_.index_of(connection)];
}

}  // namespace muxlab
