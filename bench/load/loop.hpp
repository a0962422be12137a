#pragma once

#include <cmath>
#include <random>

#include "bench/load/oracle.hpp"
#include "bench/load/slice.hpp"
#include "bench/load/timeline.hpp"

namespace muxlab {

/// What a closed and an open loop have in common: one thread that sends on its connections from
/// when the timeline starts until it has ended, and then waits for what is in flight.
class LoadLoop {
 public:
  LoadLoop(const LoadLoop&) = delete;
  LoadLoop& operator=(const LoadLoop&) = delete;

 protected:
  /// `size_bytes` of a message; `grace` is how long to wait at the end while nothing comes.
  LoadLoop(LoadConnections& connections, const Timeline& timeline, std::uint64_t size_bytes,
           std::chrono::nanoseconds grace)
      : connections_(connections), timeline_(timeline), size_bytes_(size_bytes), grace_(grace) {}
  virtual ~LoadLoop() = default;

  /// Returns when the timeline has ended and everything in flight is back or given up; all are
  /// closed then.
  void run_loop();
  /// Begins at once and sends for `duration_ns`, and until `least_bytes` are back. Returns when
  /// nothing is in flight, when a connection has failed, or when nothing has come for the grace
  /// time. All stay open, for the next slice.
  void run_slice(std::int64_t duration_ns, std::uint64_t least_bytes);

  /// The timeline has started: from now on there is something to send.
  virtual void start() = 0;
  /// Bytes came, and were right.
  virtual void on_received(LoadConnection& connection) = 0;
  /// The server has ended its side too; the descriptor is closed.
  virtual void on_ended(LoadConnection&) {}
  /// The run is over, and not all that was sent is back; the connection fails next.
  virtual void on_given_up(const LoadConnection&) {}
  /// How long to wait for an event at most, and what is to be done then; not once it has ended.
  [[nodiscard]] virtual std::int64_t until_next_ns() const { return LoadConnections::kForever; }
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

/// Keeps `depth` messages in flight on each active connection: whenever one is back, it is timed
/// and the next one sent at once. Idle connections are watched, for whatever comes from them is
/// wrong.
///
/// A message's time runs from when it was due, which is when the one before it was back, to when
/// the bytes that completed it were taken in. Timed are all that were in flight inside the window,
/// those too that came back after its end, or, given up, never. So the times of a connection that
/// stays open leave no gap, and add up to the window's length, but for what lies outside it: the
/// beginning of those that were in flight when it began, and the rest of those that were when it
/// ended. That is tallied as latency_outside_ns, with which Little's law holds exactly, in a short
/// window too.
///
/// With churn, a connection whose last echo is back is ended by this side and then by the server,
/// and replaced. The first echo of a new one is timed from when connect(2) was first called.
///
/// Returns when the timeline has ended and everything in flight is back or given up. New
/// connections go to `target`, from `sources`.
///
/// With a `slice` it returns as LoadLoop::run_slice() does, and goes on where the slice before
/// ended: connections that were closed then are opened again. The first messages, which all leave
/// at once, are not timed.
void run_closed_loop(LoadConnections& connections, const Timeline& timeline,
                     const LoadTarget& target, SourceAddresses& sources, const LoadOptions& options,
                     const SliceCommand* slice);
/// When each message of an open loop is due, whatever became of those before. The same arguments
/// give the same times.
class Arrivals {
 public:
  /// `per_s` of them, more than 0, drawn from `seed`.
  Arrivals(double per_s, Gaps gaps, std::uint64_t seed)
      : mean_gap_ns_(1e9 / per_s), gaps_(gaps), random_(seed) {}

  /// The first one is due a gap after `now_ns`; one of `shares` fixed schedules, of which this is
  /// number `share`, so much earlier that together they are evenly spaced too.
  void start(std::int64_t now_ns, std::uint64_t share, std::uint64_t shares) {
    began_ns_ = now_ns;
    elapsed_ns_ = gaps_ == Gaps::fixed
                      ? -mean_gap_ns_ * static_cast<double>(share) / static_cast<double>(shares)
                      : 0;
    advance();
  }

  /// Of CLOCK_MONOTONIC.
  [[nodiscard]] std::int64_t due_ns() const { return began_ns_ + std::llround(elapsed_ns_); }
  void advance() { elapsed_ns_ += gaps_ == Gaps::fixed ? mean_gap_ns_ : exponential_gap_ns(); }

  /// One of `count`, each as likely as the others.
  std::uint64_t choose(std::uint64_t count) { return random_() % count; }

 private:
  /// By inversion, so that it is the same with every standard library.
  double exponential_gap_ns() {
    constexpr double kUlp = 0x1p-53;
    return -std::log1p(-static_cast<double>(random_() >> 11) * kUlp) * mean_gap_ns_;
  }

  double mean_gap_ns_;
  Gaps gaps_;
  std::mt19937_64 random_;
  std::int64_t began_ns_ = 0;
  double elapsed_ns_ = 0;  // a sum of gaps of fractions: no error of rounding adds up to a rate
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
///
/// Returns when the timeline has ended and everything in flight is back or given up; with a `slice`
/// as LoadLoop::run_slice() does. `thread` is the loop's number among the options' threads, which
/// share the rate; `seed` draws the gaps and the connections.
void run_open_loop(LoadConnections& connections, const Timeline& timeline,
                   const LoadOptions& options, std::uint64_t thread, std::uint64_t seed,
                   const SliceCommand* slice);

/// What the threads of a load share. The options outlive it. Throws Failure as run_load() does.
struct LoadSetup {
  explicit LoadSetup(const LoadOptions& asked) : options(asked) {}

  const LoadOptions& options;
  const LoadEngine engine = available_engine(options.oracle ? LoadEngine::epoll : options.engine);
  const LoadTarget target = options.target ? *options.target : find_target(options.connect);
  const Pattern pattern{LoadConnections::kLongestRun};
  Timeline timeline;
};

/// One thread's part of a load, of the thread that makes it.
class LoadThread {
 public:
  /// Opens its connections, and returns when each has echoed. Throws as run_load() does.
  LoadThread(LoadSetup& setup, std::uint64_t thread);

  /// Runs the loop that the options ask for, closed or open; with a `slice` for that long.
  void run(const SliceCommand* slice = nullptr);
  [[nodiscard]] LoadConnections& connections() { return *connections_; }

 private:
  LoadSetup& setup_;
  std::uint64_t thread_;
  std::unique_ptr<LoadConnections> connections_;
  SourceAddresses sources_;
  std::optional<OracleTeller> teller_;
  std::uint64_t slices_ = 0;  // so far
};

}  // namespace muxlab
