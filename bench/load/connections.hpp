#pragma once

#include <memory>

#include "backends/parts/unique_fd.hpp"
#include "bench/load/pattern.hpp"
#include "bench/load/tally.hpp"

namespace muxlab {

/// How the client waits for its connections.
enum class LoadEngine : std::uint8_t {
  any,  ///< the one that costs less where it works
  epoll,
  io_uring,
};

inline constexpr std::array<std::string_view, 3> kLoadEngineNames = {"auto", "epoll", "io-uring"};

inline std::string_view engine_name(LoadEngine engine) {
  return kLoadEngineNames[static_cast<std::size_t>(engine)];
}

class OracleTeller;

/// One connection of the load client. Without a descriptor when it is not open yet or any more.
/// With thousands, the cache lines that an echo touches are felt: it has one.
struct alignas(64) LoadConnection {
  UniqueFd fd;
  std::uint32_t slot = 0;  ///< of the oldest message in flight, among its start times
  EchoStream stream{};
  std::uint64_t number = 0;         ///< in the order of opening, among those of the whole run
  std::uint32_t handed_over = 0;    ///< io_uring: bytes of the last send
  bool is_established : 1 = false;  ///< it has echoed once
  bool is_ending : 1 = false;       ///< it sends no more, and waits for the server's end
  bool is_sending : 1 = false;      ///< what is due is on its way, or waits for room
  bool is_quiet_send : 1 = false;   ///< io_uring: which is only told of when it fails
  bool is_receiving : 1 = false;    ///< io_uring: the kernel has a receive of it
};
static_assert(sizeof(LoadConnection) == 64);

/// Something that happened. What it is, is between wait() and advance().
struct LoadEvent {
  std::uint64_t id;  ///< the index of a connection, or what watch() was given
  std::uint32_t flags = 0;
  std::int32_t result = 0;
  std::uint8_t kind = 0;
};

/// What came of an event.
enum class Came : std::uint8_t {
  nothing,  ///< or the connection has failed, and has no descriptor any more
  bytes,    ///< and they were right
  end,      ///< the server's, after ours: the connection has no descriptor any more
};

/// Which connections a thread has: `count`, of which the first `active` are to echo. As they are
/// opened they get the numbers `first`, first + stride, ... of those of the whole run.
struct LoadShare {
  std::size_t count;
  std::size_t active;
  std::uint64_t first;
  std::uint64_t stride;
};

/// One thread's connections: their streams, what comes back compared with what was sent, and how
/// they fail. How they are waited for is the engine's, which derives from this.
///
/// Every connection is received from all the time, also while it sends: two sides that both only
/// sent would wait for each other for ever. A connection that fails is counted in tally(), closed
/// and from then on without a descriptor; events of it that are still to be handled are void.
class LoadConnections {
 public:
  /// More than any socket holds at once would be pointless.
  static constexpr std::size_t kLongestRun = 1 << 18;
  static constexpr std::int64_t kForever = -1;

  LoadConnections(const Pattern& pattern, const LoadShare& share)
      : pattern_(pattern),
        active_(share.active),
        next_number_(share.first),
        stride_(share.stride),
        connections_(share.count) {}
  LoadConnections(const LoadConnections&) = delete;
  LoadConnections& operator=(const LoadConnections&) = delete;
  virtual ~LoadConnections() = default;

  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  [[nodiscard]] LoadConnection& at(std::size_t index) { return connections_[index]; }
  [[nodiscard]] std::span<LoadConnection> active() { return {connections_.data(), active_}; }
  [[nodiscard]] std::size_t index_of(const LoadConnection& connection) const {
    return static_cast<std::size_t>(&connection - connections_.data());
  }
  [[nodiscard]] LoadTally& tally() { return tally_; }

  /// Takes over a descriptor that is connecting, and sends `bytes` as soon as it is connected.
  void open(std::size_t index, UniqueFd fd, std::uint64_t bytes);
  /// Waits for a descriptor that is not a connection to be readable; its events carry `id`, of 32
  /// bits. To be unwatched when there was one.
  virtual void watch(int fd, std::uint64_t id) = 0;
  virtual void unwatch(int fd, std::uint64_t id) = 0;
  /// Waits for events, for no longer than `timeout_ns`. They are valid until the next call, and all
  /// those of open connections are to be passed to advance().
  virtual std::span<const LoadEvent> wait(std::int64_t timeout_ns) = 0;

  /// Does what an event of an open connection asks for: takes in what came and verifies it, goes on
  /// sending.
  virtual Came advance(LoadConnection& connection, const LoadEvent& event) = 0;
  /// Sends what is due, with the next wait() at the latest, as far as the socket takes it, and sees
  /// to it that the rest follows.
  virtual void flush(LoadConnection& connection) = 0;

  /// From now on `teller`, which outlives this, is told of each message that is sent. Only on
  /// epoll, where flush() is what sends.
  void tell(OracleTeller& teller) { teller_ = &teller; }

  /// Tells the server that a connection whose messages are all back sends no more, so that what is
  /// left of it is the server's end, shutdown(2).
  static void end(LoadConnection& connection);

  /// Counts the failure of a connection, and closes it.
  void fail(LoadConnection& connection, LoadError error, std::string_view reason);
  /// Counts a connection that could not even be opened.
  void fail_to_open(std::size_t index, std::string_view reason);
  void close(LoadConnection& connection);
  /// Returns when all are closed.
  virtual void close_all();

 protected:
  static bool is_momentary(int error);

  /// Begins to receive, and to send what is due once it is connected.
  virtual void begin(LoadConnection& connection) = 0;
  /// The last chance to take the descriptor, which is closed otherwise.
  virtual void let_go(LoadConnection&) {}

  Came take_in(LoadConnection& connection, std::span<const std::byte> bytes);
  Came take_end(LoadConnection& connection);
  void fail_with_errno(LoadConnection& connection, int error);

  const Pattern& pattern_;
  OracleTeller* teller_ = nullptr;

 private:
  std::size_t active_;
  std::uint64_t next_number_;
  std::uint64_t stride_;
  std::vector<LoadConnection> connections_;
  LoadTally tally_;
};

/// One that works on this machine, and is never `any`. Throws Failure (unavailable) with the reason
/// when the one that was asked for does not.
LoadEngine available_engine(LoadEngine asked);

/// To be called on the thread that is to use them. `largest_receive`: bytes that are expected at
/// once on a connection. Throws std::system_error.
std::unique_ptr<LoadConnections> make_connections(LoadEngine engine, const Pattern& pattern,
                                                  const LoadShare& share,
                                                  std::uint64_t largest_receive);

/// On an epoll(7) instance, level-triggered.
std::unique_ptr<LoadConnections> make_epoll_connections(const Pattern& pattern,
                                                        const LoadShare& share);

}  // namespace muxlab
