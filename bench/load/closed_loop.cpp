#include <algorithm>
#include <cerrno>
#include <deque>
#include <system_error>

#include "bench/load/loop.hpp"

namespace muxlab {
namespace {

/// Ports leave TIME_WAIT after a second or a minute, and each attempt may search all of them.
constexpr std::int64_t kShortestPause_ns = 1'000'000;
constexpr std::int64_t kLongestPause_ns = 64'000'000;

/// Replaces closed connections. Each new connection starts with one message.
///
/// dial() can fail for a while, because closed connections leave their ports in TIME_WAIT and a
/// Unix server's backlog may be full. Such connections wait in a queue and are counted. Churn
/// retries in order, at growing intervals.
class Churn {
 public:
  /// Borrows its arguments. `size_bytes`: of a message.
  Churn(LoadConnections& connections, const LoadTarget& target, SourceAddresses& sources,
        std::uint64_t size_bytes)
      : connections_(connections), target_(target), sources_(sources), size_bytes_(size_bytes) {}

  /// Opens connection `index` now or as soon as possible. Requires that it has no descriptor.
  void open(std::size_t index) {
    if (waiting_.empty() && try_to_open(index)) return;
    waiting_.push_back(index);
    LoadTally& tally = connections_.tally();
    ++(last_error_ == EAGAIN ? tally.without_backlog : tally.without_port);
  }

  /// Returns when to call open_those_that_wait() (CLOCK_MONOTONIC); kForever: no connection waits.
  [[nodiscard]] std::int64_t due_ns() const {
    return waiting_.empty() ? LoadConnections::kForever : retry_at_ns_;
  }
  void open_those_that_wait() {
    if (waiting_.empty() || monotonic_ns() < retry_at_ns_) return;
    while (!waiting_.empty() && try_to_open(waiting_.front())) waiting_.pop_front();
  }

 private:
  /// Returns false if no port, or no room in the backlog, is available now.
  bool try_to_open(std::size_t index) {
    Dialled dialled = dial(target_, sources_);
    if (dialled.error == EADDRNOTAVAIL || dialled.error == EAGAIN) {
      sources_.restart();
      last_error_ = dialled.error;
      pause_ns_ = std::clamp(2 * pause_ns_, kShortestPause_ns, kLongestPause_ns);
      retry_at_ns_ = monotonic_ns() + pause_ns_;
      return false;
    }
    pause_ns_ = 0;
    if (dialled.error == 0) {
      connections_.open(index, std::move(dialled.fd), size_bytes_);
    } else {
      connections_.fail_to_open(index, std::generic_category().message(dialled.error));
    }
    return true;
  }

  LoadConnections& connections_;
  const LoadTarget& target_;
  SourceAddresses& sources_;
  std::uint64_t size_bytes_;
  std::deque<std::size_t> waiting_;
  std::int64_t retry_at_ns_ = 0;
  std::int64_t pause_ns_ = 0;
  int last_error_ = 0;  // why the queue waits: EADDRNOTAVAIL or EAGAIN
};

class ClosedLoop final : public LoadLoop {
 public:
  ClosedLoop(LoadConnections& connections, const Timeline& timeline, Churn& churn,
             const LoadOptions& options, const SliceCommand* slice)
      : LoadLoop(connections, timeline, options.size_bytes, options.grace),
        churn_(churn),
        goes_on_(slice != nullptr),
        depth_(options.depth),
        last_byte_(options.churn ? *options.churn * options.size_bytes : kNoLimit),
        starts_ns_(connections.active().size() * options.depth) {}

  void run(const SliceCommand* slice) {
    if (slice == nullptr) return run_loop();
    const std::uint64_t round_trip = depth_ * size_bytes_ * connections_.active().size();
    run_slice(slice->duration_ns, slice->round_trips * round_trip);
  }

 private:
  void start() override {
    for (LoadConnection& connection : connections_.active()) {
      const std::int64_t now_ns = monotonic_ns();
      if (!connection.fd) {
        if (goes_on_) open_again(connection, now_ns);
        continue;
      }
      connections_.tally().latency_outside_ns -=
          static_cast<std::int64_t>(depth_) * timeline_.inside(0, now_ns);
      fill(connection, now_ns);
    }
    if (goes_on_) timed_from_ns_ = monotonic_ns();
  }

  void on_received(LoadConnection& connection) override {
    EchoStream& stream = connection.stream;
    if (!stream.complete(size_bytes_)) return;
    const std::int64_t now_ns = monotonic_ns();
    if (!connection.is_established) return count_first(connection, now_ns);
    do {
      std::int64_t& began_ns = starts_of(connection)[connection.slot];
      count(began_ns, now_ns);
      began_ns = now_ns;
      connection.slot = connection.slot + 1 == depth_ ? 0 : connection.slot + 1;
      if (is_sending() && stream.due() < last_byte_) stream.extend(size_bytes_);
    } while (stream.complete(size_bytes_));
    if (is_sending() && stream.completed() == last_byte_) return LoadConnections::end(connection);
    connections_.flush(connection);
  }

  /// Records the time so far as the latency of each missing message; the true one is longer.
  void on_given_up(const LoadConnection& connection) override {
    if (!connection.is_established || connection.is_ending) return;
    const std::int64_t now_ns = monotonic_ns();
    const EchoStream& stream = connection.stream;
    const std::uint64_t in_flight = (stream.due() - stream.completed()) / size_bytes_;
    for (std::uint64_t i = 0; i < in_flight; ++i) {
      count(starts_of(connection)[(connection.slot + i) % depth_], now_ns);
    }
  }

  void on_ended(LoadConnection& connection) override {
    const std::int64_t now_ns = monotonic_ns();
    LoadTally& tally = connections_.tally();
    ++tally.closed_in_all;
    if (timeline_.measures(now_ns)) ++tally.closed;
    if (is_sending()) open_again(connection, now_ns);
  }

  [[nodiscard]] std::int64_t until_next_ns() const override {
    const std::int64_t due_ns = churn_.due_ns();
    if (due_ns == LoadConnections::kForever) return due_ns;
    return std::max<std::int64_t>(due_ns - monotonic_ns(), 0);
  }

  void do_what_is_due() override { churn_.open_those_that_wait(); }

  void open_again(const LoadConnection& connection, std::int64_t now_ns) {
    *starts_of(connection) = now_ns;
    churn_.open(connections_.index_of(connection));
  }

  /// Sends the first `depth` messages. Requires that nothing is in flight.
  void fill(LoadConnection& connection, std::int64_t now_ns) {
    EchoStream& stream = connection.stream;
    std::fill_n(starts_of(connection), depth_, now_ns);
    connection.slot = 0;
    stream.extend(std::min(depth_ * size_bytes_, last_byte_ - stream.due()));
    stream.unsent() > 0 ? connections_.flush(connection) : LoadConnections::end(connection);
  }

  void count(std::int64_t began_ns, std::int64_t now_ns) {
    LoadTally& tally = connections_.tally();
    const bool is_echo = timeline_.measures(now_ns);
    const std::int64_t inside_ns = timeline_.inside(began_ns, now_ns);
    if (is_echo) ++tally.echoes;
    // Messages in flight at the end of the window are timed too, or a stall then would not show.
    if (!is_echo && inside_ns == 0) return;
    if (began_ns >= timed_from_ns_) {
      tally.latency_ns.record(static_cast<std::uint64_t>(now_ns - began_ns));
    }
    tally.latency_outside_ns += now_ns - began_ns - inside_ns;
  }

  void count_first(LoadConnection& connection, std::int64_t now_ns) {
    LoadTally& tally = connections_.tally();
    connection.is_established = true;
    ++tally.established;
    if (timeline_.measures(now_ns)) {
      ++tally.echoes;
      const std::int64_t began_ns = *starts_of(connection);
      if (began_ns >= timed_from_ns_) {
        tally.first_echo_ns.record(static_cast<std::uint64_t>(now_ns - began_ns));
      }
    }
    if (is_sending()) fill(connection, now_ns);
  }

  std::int64_t* starts_of(const LoadConnection& connection) {
    return starts_ns_.data() + connections_.index_of(connection) * depth_;
  }

  Churn& churn_;
  bool goes_on_;                    // continues on the connections of the previous slice
  std::int64_t timed_from_ns_ = 0;  // messages sent earlier are not timed
  std::uint64_t depth_;
  std::uint64_t last_byte_;              // bytes that a connection sends before it is replaced
  std::vector<std::int64_t> starts_ns_;  // start of each message in flight, `depth` per connection
};

}  // namespace

void run_closed_loop(LoadConnections& connections, const Timeline& timeline,
                     const LoadTarget& target, SourceAddresses& sources, const LoadOptions& options,
                     const SliceCommand* slice) {
  Churn churn(connections, target, sources, options.size_bytes);
  ClosedLoop(connections, timeline, churn, options, slice).run(slice);
}

}  // namespace muxlab
