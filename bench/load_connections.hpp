#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "backends/unique_fd.hpp"
#include "bench/load_errors.hpp"
#include "bench/load_stream.hpp"
#include "bench/load_tally.hpp"
#include "bench/pattern.hpp"

namespace muxlab {

class OracleTeller;

/// One connection of the load client. Without a descriptor when it is not open yet or any more.
struct LoadConnection {
  UniqueFd fd;
  EchoStream stream;
  std::uint32_t slot = 0;        ///< of the oldest message in flight, among its start times
  bool awaits_writable = false;  ///< what is due does not fit the socket: EPOLLOUT is watched
  bool is_established = false;   ///< it has echoed once
};

/// One thread's connections, and the epoll(7) instance (level-triggered) that watches them.
///
/// Every connection is watched for reading all the time, also while it sends: two sides that both
/// only sent would wait for each other for ever. A connection that fails is counted in tally(),
/// closed and from then on without a descriptor.
class LoadConnections {
 public:
  /// More than any socket holds at once would be pointless.
  static constexpr std::size_t kLongestRun = 1 << 18;

  /// Room for `count` connections, of which the first `active` are to echo. Numbered `first`,
  /// first + stride, ... among those of the whole run.
  LoadConnections(const Pattern& pattern, std::size_t count, std::size_t active,
                  std::uint64_t first, std::uint64_t stride);

  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  [[nodiscard]] LoadConnection& at(std::size_t index) { return connections_[index]; }
  [[nodiscard]] std::span<LoadConnection> active() { return {connections_.data(), active_}; }
  [[nodiscard]] LoadTally& tally() { return tally_; }

  /// Takes over a descriptor that is connecting, and watches for when it is writable.
  void open(std::size_t index, UniqueFd fd);
  /// Watches a descriptor that is not a connection; its events carry `id`.
  void watch(int fd, std::uint64_t id);
  void unwatch(int fd);
  static constexpr std::int64_t kForever = -1;
  /// Waits for events of which `data.u64` is the index of a connection or the id of another
  /// descriptor, for no longer than `timeout_ns`. The events are valid until the next call.
  std::span<const epoll_event> wait(std::int64_t timeout_ns);

  /// Receives once and verifies it; false when nothing came, or the connection has failed.
  bool receive(LoadConnection& connection);
  /// From now on `teller`, which outlives this, is told of each message that is sent.
  void tell(OracleTeller& teller) { teller_ = &teller; }
  /// Sends what is due, as far as the socket takes it, and sees to it that the rest follows.
  void flush(LoadConnection& connection);

  /// Counts the failure of a connection, and closes it.
  void fail(LoadConnection& connection, LoadError error, std::string_view reason);
  /// Counts a connection that could not even be opened.
  void fail_to_open(std::size_t index, std::string_view reason);
  /// Closes every connection.
  void close_all();

 private:
  void fail_with_errno(LoadConnection& connection, int error);
  void close(LoadConnection& connection);
  void await_writable(LoadConnection& connection, bool awaits);
  [[nodiscard]] std::size_t index_of(const LoadConnection& connection) const;

  const Pattern& pattern_;
  std::size_t active_;
  std::uint64_t first_;
  std::uint64_t stride_;
  UniqueFd epoll_;
  std::array<epoll_event, 256> events_;
  std::unique_ptr<std::byte[]> scratch_;
  std::vector<LoadConnection> connections_;
  LoadTally tally_;
  OracleTeller* teller_ = nullptr;
};

}  // namespace muxlab
