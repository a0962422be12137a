#pragma once

#include <memory>

#include "backends/parts/unique_fd.hpp"
#include "bench/load/pattern.hpp"
#include "bench/load/tally.hpp"

namespace muxlab {

/// How the client waits for its connections.
enum class LoadEngine : std::uint8_t {
  any,  ///< io_uring where it works, because it costs less; else epoll
  epoll,
  io_uring,
};

inline constexpr std::array<std::string_view, 3> kLoadEngineNames = {"auto", "epoll", "io-uring"};

inline std::string_view engine_name(LoadEngine engine) {
  return kLoadEngineNames[static_cast<std::size_t>(engine)];
}

class OracleTeller;

/// One connection of the load client. `fd` is empty before it is opened and after it is closed.
/// It fills exactly one cache line, because with thousands of connections each line costs time.
struct alignas(64) LoadConnection {
  UniqueFd fd;
  std::uint32_t slot = 0;  ///< index of the oldest message in flight, among its start times
  EchoStream stream{};
  std::uint64_t number = 0;         ///< of the connection in this run; see LoadShare
  std::uint32_t handed_over = 0;    ///< io_uring: bytes of the last send
  bool is_established : 1 = false;  ///< it has echoed once
  bool is_ending : 1 = false;       ///< half-closed by us; the server must close it now
  bool is_sending : 1 = false;      ///< a send is in progress, or waits for room in the socket
  bool is_quiet_send : 1 = false;   ///< io_uring: the kernel reports that send only if it fails
  bool is_receiving : 1 = false;    ///< io_uring: the kernel holds a receive request for it
};
static_assert(sizeof(LoadConnection) == 64);

/// An event that wait() returns. Only advance() interprets flags, result and kind.
struct LoadEvent {
  std::uint64_t id;  ///< the index of a connection, or the id given to watch()
  std::uint32_t flags = 0;
  std::int32_t result = 0;
  std::uint8_t kind = 0;
};

/// The result of an event.
enum class Came : std::uint8_t {
  nothing,  ///< no bytes; if the connection failed, its descriptor is closed
  bytes,    ///< bytes were received, and they were correct
  end,      ///< the server closed its side after ours; the descriptor is closed
};

/// The connections of one thread: `count`, of which the first `active` echo. In the order of
/// opening they get the numbers `first`, first + stride, ..., which are unique in the run.
struct LoadShare {
  std::size_t count;
  std::size_t active;
  std::uint64_t first;
  std::uint64_t stride;
};

/// Holds one thread's connections and their streams, and compares received bytes with sent bytes.
/// Each engine derives a class from this that waits for events.
///
/// A connection always receives, even while it sends, because two sides that only sent would
/// deadlock. tally() counts a failed connection. Its descriptor is closed, and the caller must
/// ignore its remaining events. Thread: the one that constructed it.
class LoadConnections {
 public:
  /// Longest send or receive, in bytes. The pattern and the receive buffer have this size.
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

  /// Takes ownership of a connecting descriptor, and sends `bytes` bytes once it is connected.
  void open(std::size_t index, UniqueFd fd, std::uint64_t bytes);
  /// Makes wait() report `id` (32 bits) when `fd`, which is not a connection, becomes readable.
  /// The caller must call unwatch() after the first such event.
  virtual void watch(int fd, std::uint64_t id) = 0;
  virtual void unwatch(int fd, std::uint64_t id) = 0;
  /// Waits for events, for at most `timeout_ns` (kForever: no limit). The events are valid until
  /// the next call. The caller must pass each event of an open connection to advance().
  virtual std::span<const LoadEvent> wait(std::int64_t timeout_ns) = 0;

  /// Handles an event of an open connection: receives and verifies bytes, or continues a send.
  virtual Came advance(LoadConnection& connection, const LoadEvent& event) = 0;
  /// Sends the unsent bytes, at the latest during the next wait(). The rest follows when the
  /// socket has room again.
  virtual void flush(LoadConnection& connection) = 0;

  /// Makes `teller` report each message that is sent. `teller` must outlive the last flush() and
  /// advance(). Requires the epoll engine, where flush() itself sends.
  void report_to(OracleTeller& teller) { teller_ = &teller; }

  /// Half-closes a connection that has all its echoes, with shutdown(2). The server must close it.
  static void end(LoadConnection& connection);

  /// Counts the failure of a connection, and closes it.
  void fail(LoadConnection& connection, LoadError error, std::string_view reason);
  /// Counts the failure of a connection that could not be opened.
  void fail_to_open(std::size_t index, std::string_view reason);
  void close(LoadConnection& connection);
  /// Closes all connections, and waits until the kernel has released them.
  virtual void close_all();

 protected:
  static bool is_momentary(int error);

  /// Starts to receive, and to send the unsent bytes once the connection is connected.
  virtual void begin(LoadConnection& connection) = 0;
  /// Called before close() closes the descriptor. An engine may move the descriptor away here.
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

/// Returns an engine that works on this machine; never `any`. Throws Failure (unavailable) with the
/// reason if the requested engine does not work.
LoadEngine available_engine(LoadEngine asked);

/// Makes the connections of one thread. `largest_receive`: bytes expected at once on a connection.
/// Throws std::system_error. Thread: must be the thread that uses them.
std::unique_ptr<LoadConnections> make_connections(LoadEngine engine, const Pattern& pattern,
                                                  const LoadShare& share,
                                                  std::uint64_t largest_receive);

/// Makes connections that wait on a level-triggered epoll(7) instance. Throws std::system_error.
std::unique_ptr<LoadConnections> make_epoll_connections(const Pattern& pattern,
                                                        const LoadShare& share);

}  // namespace muxlab
