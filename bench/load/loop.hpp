#pragma once

#include <cmath>
#include <random>

#include "bench/load/oracle.hpp"
#include "bench/load/slice.hpp"
#include "bench/load/timeline.hpp"

namespace muxlab {

/// The common part of a closed and an open loop. One thread sends on its connections from the start
/// to the end of the timeline, and then waits for the messages in flight.
class LoadLoop {
 public:
  LoadLoop(const LoadLoop&) = delete;
  LoadLoop& operator=(const LoadLoop&) = delete;

 protected:
  /// `size_bytes`: of a message; `grace`: longest wait without progress at the end.
  LoadLoop(LoadConnections& connections, const Timeline& timeline, std::uint64_t size_bytes,
           std::chrono::nanoseconds grace)
      : connections_(connections), timeline_(timeline), size_bytes_(size_bytes), grace_(grace) {}
  virtual ~LoadLoop() = default;

  /// Runs until the timeline has ended and every message is back or given up. Closes all
  /// connections.
  void run_loop();
  /// Sends at once, for `duration_ns` and until `least_bytes` are back. Returns when nothing is in
  /// flight, when a connection has failed, or after the grace time without progress. Connections
  /// stay open for the next slice.
  void run_slice(std::int64_t duration_ns, std::uint64_t least_bytes);

  /// Called when sending may start.
  virtual void start() = 0;
  /// Called after correct bytes were received.
  virtual void on_received(LoadConnection& connection) = 0;
  /// Called when the server has closed its side too; the descriptor is closed.
  virtual void on_ended(LoadConnection&) {}
  /// Called at the end of the run if echoes are missing; the connection fails next.
  virtual void on_given_up(const LoadConnection&) {}
  /// Returns the time until do_what_is_due() must run; kForever: never.
  [[nodiscard]] virtual std::int64_t until_next_ns() const { return LoadConnections::kForever; }
  /// Sends due messages, or opens waiting connections.
  virtual void do_what_is_due() {}

  [[nodiscard]] bool is_sending() const { return has_started_ && !has_ended_; }

  LoadConnections& connections_;
  const Timeline& timeline_;
  const std::uint64_t size_bytes_;

 private:
  void on_event(const LoadEvent& event);
  [[nodiscard]] std::int64_t wait_until_ns(std::int64_t until_ns) const;
  void await_the_rest();
  void count_shares();
  void give_up_the_rest();

  std::chrono::nanoseconds grace_;
  bool has_started_ = false;
  bool has_ended_ = false;
};

/// Keeps `depth` messages in flight on each active connection. When an echo is complete, the loop
/// times it and sends the next message at once. It also watches idle connections, because any byte
/// from them is an error.
///
/// Latency runs from the completion of the previous echo to the receive that completed this one. It
/// covers all messages that were in flight inside the window, including those that came back later
/// or were given up. So the latencies of an open connection have no gaps. They add up to the length
/// of the window, plus the parts of messages before its begin and after its end. latency_outside_ns
/// counts these parts. With it Little's law holds exactly, even in a short window.
///
/// With churn, the client half-closes a connection after its last echo, the server closes it, and
/// the client replaces it. The latency of the first echo runs from the first connect(2).
///
/// Returns when the timeline has ended and every message is back or given up. New connections go to
/// `target`, from `sources`.
///
/// With a `slice` it returns like LoadLoop::run_slice(), and continues where the previous slice
/// ended: it opens the connections again that were closed then. It does not time the first
/// messages, because all of them leave at once.
void run_closed_loop(LoadConnections& connections, const Timeline& timeline,
                     const LoadTarget& target, SourceAddresses& sources, const LoadOptions& options,
                     const SliceCommand* slice);

/// Computes the due time of each message of an open loop, independent of earlier messages. Equal
/// arguments give equal times.
class Arrivals {
 public:
  /// `per_s`: messages per second, more than 0; `seed` determines the random numbers.
  Arrivals(double per_s, Gaps gaps, std::uint64_t seed)
      : mean_gap_ns_(1e9 / per_s), gaps_(gaps), random_(seed) {}

  /// Starts the schedule: the first message is due one gap after `now_ns`. With fixed gaps,
  /// schedule `share` of `shares` starts earlier, so that all schedules together are evenly spaced.
  void start(std::int64_t now_ns, std::uint64_t share, std::uint64_t shares) {
    began_ns_ = now_ns;
    elapsed_ns_ = gaps_ == Gaps::fixed
                      ? -mean_gap_ns_ * static_cast<double>(share) / static_cast<double>(shares)
                      : 0;
    advance();
  }

  /// Returns when the next message is due (CLOCK_MONOTONIC).
  [[nodiscard]] std::int64_t due_ns() const { return began_ns_ + std::llround(elapsed_ns_); }
  void advance() { elapsed_ns_ += gaps_ == Gaps::fixed ? mean_gap_ns_ : exponential_gap_ns(); }

  /// Returns a random number below `count`, all equally likely.
  std::uint64_t choose(std::uint64_t count) { return random_() % count; }

 private:
  /// Uses inversion, so that all standard libraries give the same gaps.
  double exponential_gap_ns() {
    constexpr double kUlp = 0x1p-53;
    return -std::log1p(-static_cast<double>(random_() >> 11) * kUlp) * mean_gap_ns_;
  }

  double mean_gap_ns_;
  Gaps gaps_;
  std::mt19937_64 random_;
  std::int64_t began_ns_ = 0;
  double elapsed_ns_ = 0;  // fractional, so that rounding errors do not change the rate
};

/// Sends each message when it is due, on a random connection, regardless of earlier messages. So a
/// stalled server does not stall the load. Messages that are due during a stall wait in the socket,
/// or in this loop if the connection already has `depth` messages in flight.
///
/// Latency runs from the due time to the return of the receive that completed the message. The loop
/// also records the latency from the actual send, as a client would that measures only from there.
/// And it records the lag from the due time until this loop handled the message, which is the
/// client's own delay. All three cover the messages due inside the window, even if they came back
/// after it.
///
/// Returns when the timeline has ended and every message is back or given up; with a `slice` like
/// LoadLoop::run_slice(). `thread`: number of this loop among options.threads, which share the
/// rate. `seed` determines gaps and connections.
void run_open_loop(LoadConnections& connections, const Timeline& timeline,
                   const LoadOptions& options, std::uint64_t thread, std::uint64_t seed,
                   const SliceCommand* slice);

/// The data that all threads of a load share. The options must outlive it. Throws Failure like
/// run_load().
struct LoadSetup {
  explicit LoadSetup(const LoadOptions& asked) : options(asked) {}

  const LoadOptions& options;
  const LoadEngine engine = available_engine(options.oracle ? LoadEngine::epoll : options.engine);
  const LoadTarget target = options.target ? *options.target : find_target(options.connect);
  const Pattern pattern{LoadConnections::kLongestRun};
  Timeline timeline;
};

/// One thread's part of a load. Thread: the one that constructs it.
class LoadThread {
 public:
  /// Opens the connections and waits until each has echoed. Throws like run_load().
  LoadThread(LoadSetup& setup, std::uint64_t thread);

  /// Runs the closed or open loop that the options select; with a `slice` only for that slice.
  void run(const SliceCommand* slice = nullptr);
  [[nodiscard]] LoadConnections& connections() { return *connections_; }

 private:
  LoadSetup& setup_;
  std::uint64_t thread_;
  std::optional<OracleTeller> teller_;  // outlives connections_, which refer to it
  std::unique_ptr<LoadConnections> connections_;
  SourceAddresses sources_;
  std::uint64_t slices_ = 0;  // so far
};

}  // namespace muxlab
