#pragma once

#include <chrono>
#include <cstdint>

#include "bench/load/connections.hpp"
#include "bench/load/timeline.hpp"

namespace muxlab {

/// What a closed and an open loop have in common: one thread that sends on its connections from
/// when the timeline starts until it has ended, and then waits for what is in flight.
class LoadLoop {
 public:
  LoadLoop(const LoadLoop&) = delete;
  LoadLoop& operator=(const LoadLoop&) = delete;
  LoadLoop(LoadLoop&&) = delete;
  LoadLoop& operator=(LoadLoop&&) = delete;

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

}  // namespace muxlab
