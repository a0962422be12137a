#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/arrivals.hpp"
#include "bench/load_loop.hpp"

namespace muxlab {

/// What an open loop sends, and how long it waits for the last of it.
struct OpenLoopOptions {
  std::uint64_t size_bytes;
  std::uint64_t depth;  ///< messages that a connection may have in flight
  double per_s;         ///< messages per second of this loop
  Gaps gaps;
  std::uint64_t seed;
  std::uint64_t share;  ///< this loop's number among the `shares` of the run
  std::uint64_t shares;
  std::chrono::nanoseconds grace;  ///< to wait at the end while nothing comes
};

/// Sends each message when it is due, on a connection drawn at random, whatever became of those
/// before it. So a server that stalls does not stall the load, and what is due meanwhile waits as
/// long as it would in life: in the socket or, on a connection that has as many in flight as it may
/// have, here.
///
/// A message's latency runs from when it was due to when the receive that completed it returned.
/// Beside it are recorded the latency from when it was really sent, which is what one sees who
/// waits for the server before measuring, and the lag from when it was due until this loop came to
/// it, which is the client's own share. All three are of the messages that were due inside the
/// window, also when they came back after it.
class OpenLoop final : public LoadLoop {
 public:
  /// Messages that may be under way at once; what is due beyond them is not sent, but counted.
  static constexpr std::uint32_t kMostUnderWay = 1 << 20;

  OpenLoop(LoadConnections& connections, const Timeline& timeline, const OpenLoopOptions& options);

  /// Sends once the timeline has started, and returns when it has ended and everything in flight is
  /// back or given up.
  void run();
  /// As run_slice() of LoadLoop.
  void run(std::int64_t duration_ns);

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// A message that is not back yet. Those of one connection are a list, the oldest first.
  struct Message {
    std::int64_t due_ns;
    std::int64_t lag_ns;
    std::int64_t sent_ns;
    std::uint32_t next;
  };
  struct Queue {
    std::uint32_t oldest = kNone;
    std::uint32_t newest = kNone;
    std::uint32_t unsent = kNone;  ///< the oldest of those that wait for one in flight
    std::uint64_t in_flight = 0;
  };

  void start() override;
  void on_received(LoadConnection& connection) override;
  [[nodiscard]] std::int64_t until_next_ns() const override;
  void do_what_is_due() override;
  void enqueue(std::int64_t now_ns);
  void send_what_may_be(LoadConnection& connection, Queue& queue, std::int64_t now_ns);
  void take_out_oldest(Queue& queue, std::int64_t now_ns);
  void count_the_lost();
  std::uint32_t take_message();
  Queue& queue_of(const LoadConnection& connection);

  OpenLoopOptions options_;
  Arrivals arrivals_;
  std::int64_t awake_ns_;          // before a message is due, for the kernel wakes us up late
  std::vector<Queue> queues_;      // of each connection
  std::vector<Message> messages_;  // as many as were ever under way at once
  std::uint32_t free_ = kNone;     // list of those that are not
};

}  // namespace muxlab
