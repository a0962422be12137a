#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

#include "bench/load_connections.hpp"
#include "bench/load_dial.hpp"
#include "bench/load_loop.hpp"

namespace muxlab {

/// Opens connections in the place of those that ended, each with one message to begin with.
///
/// A connection that was ended in order leaves its port in TIME_WAIT, and a Unix server's backlog
/// may be full: then there is none to be had at the moment. Those that have to wait are opened in
/// their turn, at intervals that grow while there still is nothing, and are counted.
class Churn {
 public:
  /// All are borrowed; `size_bytes` of a message.
  Churn(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
        std::uint64_t size_bytes)
      : connections_(connections), target_(target), sources_(sources), size_bytes_(size_bytes) {}

  /// Opens connection `index`, which has no descriptor, now or as soon as it can be.
  void open(std::size_t index);

  /// When open_those_that_wait() has something to do, of CLOCK_MONOTONIC; kForever: nobody waits.
  [[nodiscard]] std::int64_t due_ns() const {
    return waiting_.empty() ? LoadConnections::kForever : retry_at_ns_;
  }
  void open_those_that_wait();

 private:
  bool try_to_open(std::size_t index);

  LoadConnections& connections_;
  const LoadTarget& target_;
  SourceAddresses& sources_;
  std::uint64_t size_bytes_;
  std::deque<std::size_t> waiting_;
  std::int64_t retry_at_ns_ = 0;
  std::int64_t pause_ns_ = 0;
  int last_error_ = 0;  // for which those that wait do
};

/// What a closed loop sends, and how long it waits for the last of it.
struct ClosedLoopOptions {
  std::uint64_t size_bytes;
  std::uint64_t depth;             ///< messages that each connection keeps in flight
  std::uint64_t echoes;            ///< after which a connection is replaced; kNoLimit: never
  std::chrono::nanoseconds grace;  ///< to wait at the end while nothing comes
  /// It goes on where a slice before it ended: connections that were closed then are opened again.
  /// The first messages, which all leave at once, are not timed.
  bool goes_on = false;
};

/// Keeps `depth` messages in flight on each active connection: whenever one is back, it is timed
/// and the next one sent at once. Idle connections are watched, for whatever comes from them is
/// wrong.
///
/// A message's time runs from when it was due, which is when the one before it was back, to when
/// the bytes that completed it were taken in. So the times of a connection that stays open leave no
/// gap, and those counted inside the window add up to its length, but for what lies outside: the
/// beginning of those that were in flight when it began, less what the last ones spent in it. That
/// is tallied as latency_outside_ns, with which Little's law holds exactly, in a short window too.
///
/// With churn, a connection whose last echo is back is ended by this side and then by the server,
/// and replaced. The first echo of a new one is timed from when connect(2) was first called.
class ClosedLoop final : public LoadLoop {
 public:
  ClosedLoop(LoadConnections& connections, const Timeline& timeline, Churn& churn,
             const ClosedLoopOptions& options);

  /// Sends once the timeline has started, and returns when it has ended and everything in flight is
  /// back or given up.
  void run() { run_loop(); }
  /// As run_slice() of LoadLoop; `round_trips`: that each connection has made at least, on average.
  void run(std::int64_t duration_ns, std::uint64_t round_trips) {
    run_slice(duration_ns, round_trips * depth_ * size_bytes_ * connections_.active().size());
  }

 private:
  void start() override;
  void on_received(LoadConnection& connection) override;
  void on_ended(LoadConnection& connection) override;
  [[nodiscard]] std::int64_t until_next_ns() const override;
  void do_what_is_due() override { churn_.open_those_that_wait(); }

  void open_again(const LoadConnection& connection, std::int64_t now_ns);
  void fill(LoadConnection& connection, std::int64_t now_ns);
  void count(std::int64_t began_ns, std::int64_t now_ns);
  void count_first(LoadConnection& connection, std::int64_t now_ns);
  std::int64_t* starts_of(const LoadConnection& connection);

  Churn& churn_;
  bool goes_on_;
  std::int64_t timed_from_ns_ = 0;  // what was sent before is not
  std::uint64_t depth_;
  std::uint64_t last_byte_;              // that a connection sends before it is replaced
  std::vector<std::int64_t> starts_ns_;  // of each message in flight, `depth` per connection
};

}  // namespace muxlab
