#pragma once

#include <cstdint>
#include <vector>

#include "backends/buffer_ring.hpp"
#include "backends/ring.hpp"
#include "backends/unique_fd.hpp"
#include "bench/load_connections.hpp"

namespace muxlab {

/// Connections on an io_uring(7), completion: a receive is asked for once and goes on by itself,
/// into buffers that the kernel picks, and what is due is sent by requests that go to the kernel
/// with the next wait. So a turn is one system call, whatever the number of echoes in it.
///
/// A send is quiet where it can be: it does not wait, so it is over when the call that submitted it
/// returns, and is only told of when it fell short. What did not fit is sent by a request that
/// waits for room. Bytes count as sent when they are handed over, less those that fell short.
///
/// A connection that failed is closed when the kernel has let go of it, for a request holds the
/// socket open. What a request of an earlier connection in the same place brings is told apart by
/// a generation.
class IoUringConnections final : public LoadConnections {
 public:
  /// To be made on the thread that uses it. `largest_receive` is how many bytes are expected at
  /// once on a connection; more come in several pieces. Throws std::system_error.
  IoUringConnections(const Pattern& pattern, const LoadShare& share, std::uint64_t largest_receive);

  void watch(int fd, std::uint64_t id) override;
  void unwatch(int fd, std::uint64_t id) override;
  std::span<const LoadEvent> wait(std::int64_t timeout_ns) override;
  Came advance(LoadConnection& connection, const LoadEvent& event) override;
  void flush(LoadConnection& connection) override;
  void close_all() override;

 private:
  enum class Kind : std::uint8_t { nobody, watched, receive, send, settled };

  void begin(LoadConnection& connection) override;
  void let_go(LoadConnection& connection) override;

  void submit_and_wait(std::int64_t timeout_ns);
  void collect_send(const io_uring_cqe& completion);
  void collect(const io_uring_cqe& completion);
  void settle_quiet_sends();

  void receive(LoadConnection& connection);
  Came received(LoadConnection& connection, const LoadEvent& event);
  void send(LoadConnection& connection, bool is_quiet);
  void sent(LoadConnection& connection, std::int32_t result);
  void take_back(LoadConnection& connection, std::uint64_t bytes);
  void cancel(std::uint64_t name);
  void close_when_free(std::size_t index);

  [[nodiscard]] std::uint64_t name_of(Kind kind, const LoadConnection& connection) const;
  LoadConnection* connection_of(std::uint64_t name);

  std::vector<LoadEvent> events_;
  std::vector<std::uint32_t> quiet_;    // indexes of connections with a quiet send
  std::vector<BufferRing::Id> taken_;   // buffers of the last events
  std::vector<std::uint64_t> watched_;  // ids
  std::vector<UniqueFd> leaving_;       // by index: sockets that the kernel still has a request of
  std::size_t leaving_count_ = 0;
  bool hurry_ = false;  // something is due after a quiet send: not to wait for more
  BufferRing buffers_;
  Ring ring_;  // destroyed first: until then the kernel may write into the buffers
};

}  // namespace muxlab
