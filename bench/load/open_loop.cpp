#include <algorithm>
#include <thread>

#include "bench/load/loop.hpp"

namespace muxlab {
namespace {

/// Returns the time to spin before a message is due, because the kernel wakes us up to that much
/// late. It is 0 on one processor, where spinning would keep the server from running.
std::int64_t lateness_ns() { return std::thread::hardware_concurrency() > 1 ? 60'000 : 0; }

class OpenLoop final : public LoadLoop {
 public:
  /// Maximum of messages not back yet. Messages due beyond that are not sent, but counted.
  static constexpr std::uint32_t kMostUnderWay = 1 << 20;

  OpenLoop(LoadConnections& connections, const Timeline& timeline, const LoadOptions& options,
           std::uint64_t thread, std::uint64_t seed)
      : LoadLoop(connections, timeline, options.size_bytes, options.grace),
        options_(options),
        thread_(thread),
        arrivals_(static_cast<double>(*options.rate) / static_cast<double>(options.threads),
                  options.gaps, seed),
        awake_ns_(lateness_ns()),
        queues_(connections.active().size()) {}

  void run(const SliceCommand* slice) {
    slice == nullptr ? run_loop() : run_slice(slice->duration_ns, 0);
    count_the_lost();
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// A message that is not back yet. Each connection has a list of them, oldest first.
  struct Message {
    std::int64_t due_ns;
    std::int64_t lag_ns;
    std::int64_t sent_ns;
    std::uint32_t next;
  };
  struct Queue {
    std::uint32_t oldest = kNone;
    std::uint32_t newest = kNone;
    std::uint32_t unsent = kNone;  ///< the oldest that waits because `depth` are in flight
    std::uint64_t in_flight = 0;
  };

  void start() override { arrivals_.start(timeline_.started_ns(), thread_, options_.threads); }

  void on_received(LoadConnection& connection) override {
    if (!connection.stream.complete(size_bytes_)) return;
    const std::int64_t now_ns = monotonic_ns();
    Queue& queue = queue_of(connection);
    do {
      take_out_oldest(queue, now_ns);
    } while (connection.stream.complete(size_bytes_));
    send_what_may_be(connection, queue, now_ns);
    do_what_is_due();  // a batch of events may take longer than a gap
  }

  [[nodiscard]] std::int64_t until_next_ns() const override {
    if (!is_sending()) return LoadConnections::kForever;
    return std::max<std::int64_t>(arrivals_.due_ns() - monotonic_ns() - awake_ns_, 0);
  }

  void do_what_is_due() override {
    if (!is_sending()) return;
    for (std::int64_t now_ns = monotonic_ns(); arrivals_.due_ns() <= now_ns;
         now_ns = monotonic_ns()) {
      enqueue(now_ns);
      arrivals_.advance();
    }
  }

  void enqueue(std::int64_t now_ns) {
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

  void send_what_may_be(LoadConnection& connection, Queue& queue, std::int64_t now_ns) {
    const std::uint64_t before = connection.stream.unsent();
    for (; queue.unsent != kNone && queue.in_flight < options_.depth; ++queue.in_flight) {
      Message& message = messages_[queue.unsent];
      message.sent_ns = now_ns;
      queue.unsent = message.next;
      connection.stream.extend(size_bytes_);
    }
    if (connection.stream.unsent() > before) connections_.flush(connection);
  }

  void take_out_oldest(Queue& queue, std::int64_t now_ns) {
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

  /// Counts the messages that are not back, on failed connections too.
  void count_the_lost() {
    LoadTally& tally = connections_.tally();
    for (const Queue& queue : queues_) {
      for (std::uint32_t i = queue.oldest; i != kNone; i = messages_[i].next) {
        if (timeline_.measures(messages_[i].due_ns)) ++tally.unanswered;
      }
    }
    tally.offered += tally.unsent + tally.unanswered;
  }

  std::uint32_t take_message() {
    if (free_ != kNone) {
      const std::uint32_t number = free_;
      free_ = messages_[number].next;
      return number;
    }
    if (messages_.size() == kMostUnderWay) return kNone;
    messages_.emplace_back();
    return static_cast<std::uint32_t>(messages_.size() - 1);
  }

  Queue& queue_of(const LoadConnection& connection) {
    return queues_[connections_.index_of(connection)];
  }

  const LoadOptions& options_;
  std::uint64_t thread_;
  Arrivals arrivals_;
  std::int64_t awake_ns_;          // time to spin before a message is due
  std::vector<Queue> queues_;      // one per connection
  std::vector<Message> messages_;  // as many as were ever pending at once
  std::uint32_t free_ = kNone;     // list of unused messages
};

}  // namespace

void run_open_loop(LoadConnections& connections, const Timeline& timeline,
                   const LoadOptions& options, std::uint64_t thread, std::uint64_t seed,
                   const SliceCommand* slice) {
  OpenLoop(connections, timeline, options, thread, seed).run(slice);
}

}  // namespace muxlab
