#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <system_error>

#include "backends/ring.hpp"
#include "bench/load/connections.hpp"

namespace muxlab {
namespace {

constexpr unsigned kSubmissions = 1024;
constexpr std::size_t kMostBufferBytes = std::size_t{16} << 20;

/// Returns the bytes of a buffer: an odd number of cache lines, because buffers a power of two
/// apart would share a few cache sets.
std::size_t buffer_size(std::uint64_t largest_receive) {
  constexpr std::uint64_t kLine = 64;
  const std::uint64_t size = std::clamp<std::uint64_t>(largest_receive, 512, 1 << 16);
  return static_cast<std::size_t>((size / (2 * kLine) * 2 + 1) * kLine);
}

/// Returns the number of buffers: within limits one per active connection, because all may be
/// answered at once.
unsigned buffer_count(const LoadShare& share, std::uint64_t largest_receive) {
  const std::size_t fitting = std::bit_floor(kMostBufferBytes / buffer_size(largest_receive));
  const std::size_t most = std::min(std::size_t{4096}, fitting);
  return static_cast<unsigned>(std::clamp(std::bit_ceil(share.active), std::size_t{64}, most));
}

/// Returns the number of completions that one call can bring, so that the ring does not overflow.
unsigned completion_count(const LoadShare& share, unsigned buffers) {
  constexpr std::size_t kMost = 1 << 16;  // the limit of Linux
  const std::size_t wanted = std::bit_ceil(buffers + 2 * share.count + 64);
  return static_cast<unsigned>(std::clamp(wanted, std::size_t{2} * kSubmissions, kMost));
}

constexpr std::uint64_t kGenerations = 1 << 24;

/// Receives and sends with io_uring(7) completions. One multishot receive per connection fills
/// buffers that the kernel picks. The next wait submits all sends. So a turn is one system call,
/// regardless of the number of echoes.
///
/// A send is "quiet" where possible: MSG_DONTWAIT makes it complete during the call that submits
/// it, and the kernel posts a completion only if it fails or is short. A second request, which
/// waits for room, sends the rest. Bytes count as sent when submitted, minus those of short sends.
///
/// A failed connection stays open until its last request completes, because a request holds the
/// socket. A generation in user_data identifies completions of an earlier connection at the same
/// index.
class IoUringConnections final : public LoadConnections {
 public:
  /// `largest_receive`: bytes expected at once on a connection; more arrive in several completions.
  /// Throws std::system_error. Thread: must be constructed by the thread that uses it.
  IoUringConnections(const Pattern& pattern, const LoadShare& share, std::uint64_t largest_receive)
      : LoadConnections(pattern, share),
        leaving_(share.count),
        buffers_(buffer_count(share, largest_receive), buffer_size(largest_receive)),
        ring_(kSubmissions, completion_count(share, buffer_count(share, largest_receive))) {
    buffers_.offer_to(ring_);
  }

  void watch(int fd, std::uint64_t id) override {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_poll_add(entry, fd, POLLIN);
    entry->user_data = id << 32 | static_cast<std::uint64_t>(Kind::watched);
    watched_.push_back(id);
  }

  void unwatch(int, std::uint64_t id) override {
    if (std::erase(watched_, id) > 0) cancel(id << 32 | static_cast<std::uint64_t>(Kind::watched));
  }

  std::span<const LoadEvent> wait(std::int64_t timeout_ns) override {
    for (const BufferRing::Id id : taken_) buffers_.give_back(id);
    taken_.clear();
    buffers_.publish();
    submit_and_wait(std::exchange(hurry_, false) ? 0 : timeout_ns);
    events_.clear();
    const unsigned count = ring_.ready();
    // An echo's completion may precede that of its send, which must be handled first.
    for (unsigned i = 0; i < count; ++i) collect_send(ring_.completion(i));
    if (!ring_.has_overflow() && ::io_uring_sq_ready(ring_.get()) == 0) settle_quiet_sends();
    for (unsigned i = 0; i < count; ++i) collect(ring_.completion(i));
    ring_.seen(count);
    return events_;
  }

  Came advance(LoadConnection& connection, const LoadEvent& event) override {
    if (static_cast<Kind>(event.kind) == Kind::receive) return received(connection, event);
    if (static_cast<Kind>(event.kind) == Kind::send) {
      sent(connection, event.result);
    } else {
      flush(connection);
    }
    return Came::nothing;
  }

  void flush(LoadConnection& connection) override {
    if (connection.is_sending) {
      hurry_ |= connection.is_quiet_send;
    } else if (connection.stream.unsent() > 0) {
      // A connecting socket has no room yet, and a partial run needs a completion to send the rest.
      const bool is_all = connection.stream.unsent() <= pattern_.longest_run();
      send(connection, connection.is_established && is_all);
    }
  }

  void close_all() override {
    LoadConnections::close_all();
    while (leaving_count_ > 0) static_cast<void>(wait(kForever));
  }

 private:
  enum class Kind : std::uint8_t { ignored, watched, receive, send, settled };

  void begin(LoadConnection& connection) override {
    assert(!leaving_[index_of(connection)]);
    receive(connection);
    flush(connection);
  }

  void let_go(LoadConnection& connection) override {
    if (connection.stream.in_flight() == 0) connection.is_sending = false;
    if (connection.is_receiving) cancel(name_of(Kind::receive, connection));
    if (connection.is_sending) cancel(name_of(Kind::send, connection));
    if (!connection.is_receiving && !connection.is_sending) return;
    leaving_[index_of(connection)] = std::move(connection.fd);
    ++leaving_count_;
  }

  void submit_and_wait(std::int64_t timeout_ns) {
    if (timeout_ns == kForever) return ring_.submit_and_wait();
    if (timeout_ns == 0) return ring_.submit_and_finish();
    __kernel_timespec timeout{.tv_sec = timeout_ns / 1'000'000'000,
                              .tv_nsec = timeout_ns % 1'000'000'000};
    io_uring_cqe* first = nullptr;
    const int result =
        ::io_uring_submit_and_wait_timeout(ring_.get(), &first, 1, &timeout, nullptr);
    if (result < 0 && result != -ETIME && result != -EINTR && result != -EAGAIN &&
        result != -EBUSY) {
      throw std::system_error(-result, std::system_category(), "io_uring_submit_and_wait_timeout");
    }
  }

  void collect_send(const io_uring_cqe& completion) {
    if (kind_of<Kind>(completion) != Kind::send) return;
    LoadConnection* const connection = connection_of(completion.user_data);
    if (connection == nullptr) return;
    connection->is_quiet_send = false;
    const std::size_t index = index_of(*connection);
    if (connection->fd) {
      events_.push_back(
          {.id = index, .result = completion.res, .kind = static_cast<std::uint8_t>(Kind::send)});
    } else {
      connection->is_sending = false;
      close_when_free(index);
    }
  }

  void collect(const io_uring_cqe& completion) {
    const auto kind = kind_of<Kind>(completion);
    if (kind == Kind::watched) {
      const std::uint64_t id = completion.user_data >> 32;
      if (completion.res < 0) return;  // unwatched
      std::erase(watched_, id);
      events_.push_back({.id = id});
    }
    if (kind != Kind::receive) return;
    if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
      taken_.push_back(buffers_.take(completion));
    }
    LoadConnection* const connection = connection_of(completion.user_data);
    if (connection == nullptr) return;
    connection->is_receiving = (completion.flags & IORING_CQE_F_MORE) != 0;
    const std::size_t index = index_of(*connection);
    if (!connection->fd) return close_when_free(index);
    events_.push_back({.id = index,
                       .flags = completion.flags,
                       .result = completion.res,
                       .kind = static_cast<std::uint8_t>(kind)});
  }

  /// Completes the quiet sends of the last call. Failed and short ones have posted a completion by
  /// then.
  void settle_quiet_sends() {
    for (const std::uint32_t index : quiet_) {
      LoadConnection& connection = at(index);
      if (!connection.is_quiet_send) continue;
      connection.is_quiet_send = connection.is_sending = false;
      if (!connection.fd) {
        close_when_free(index);
      } else if (connection.stream.unsent() > 0) {
        events_.push_back({.id = index, .kind = static_cast<std::uint8_t>(Kind::settled)});
      }
    }
    quiet_.clear();
  }

  void receive(LoadConnection& connection) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_recv_multishot(entry, connection.fd.get(), nullptr, 0, 0);
    BufferRing::pick_for(*entry);
    entry->user_data = name_of(Kind::receive, connection);
    connection.is_receiving = true;
  }

  Came received(LoadConnection& connection, const LoadEvent& event) {
    if (event.result == 0) return take_end(connection);
    if (event.result < 0 && event.result != -ENOBUFS && !is_momentary(-event.result)) {
      // Count only confirmed bytes as sent; a refused connection has sent nothing.
      if (connection.is_sending) take_back(connection, connection.handed_over);
      fail_with_errno(connection, -event.result);
      return Came::nothing;
    }
    Came came = Came::nothing;
    if (event.result > 0) {
      const BufferRing::Id id = BufferRing::id_of(event.flags);
      came = take_in(connection, {buffers_.data(id), static_cast<std::size_t>(event.result)});
      if (came == Came::nothing) return came;
    }
    // The kernel ends a multishot receive if it lacks a buffer or room for a completion. The next
    // call provides both.
    if ((event.flags & IORING_CQE_F_MORE) == 0) receive(connection);
    // An echoed message was sent, even if its quiet send is not settled yet.
    if (connection.is_quiet_send && connection.stream.in_flight() == 0) {
      connection.is_quiet_send = connection.is_sending = false;
    }
    return came;
  }

  void send(LoadConnection& connection, bool is_quiet) {
    const auto run = connection.stream.next_run(pattern_);
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_send(entry, connection.fd.get(), run.data(), run.size(),
                       MSG_NOSIGNAL | MSG_WAITALL | (is_quiet ? MSG_DONTWAIT : 0));
    if (is_quiet) {
      entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
      quiet_.push_back(static_cast<std::uint32_t>(index_of(connection)));
    }
    entry->user_data = name_of(Kind::send, connection);
    connection.is_sending = true;
    connection.is_quiet_send = is_quiet;
    connection.handed_over = static_cast<std::uint32_t>(run.size());
    connection.stream.add_sent(run.size());
    tally().bytes_sent += run.size();
  }

  void sent(LoadConnection& connection, std::int32_t result) {
    connection.is_sending = false;
    const auto size = static_cast<std::uint32_t>(std::max(result, 0));
    take_back(connection, connection.handed_over - size);
    if (result == -EPIPE) return;  // the receive reports the reason
    if (result < 0 && !is_momentary(-result)) return fail_with_errno(connection, -result);
    if (connection.stream.unsent() > 0) send(connection, false);
  }

  /// Marks submitted bytes as not sent.
  void take_back(LoadConnection& connection, std::uint64_t bytes) {
    const std::uint64_t unsent = std::min(bytes, connection.stream.in_flight());
    connection.stream.take_back(unsent);
    tally().bytes_sent -= unsent;
  }

  void cancel(std::uint64_t name) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_cancel64(entry, name, 0);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;  // the cancelled request posts its own completion
    entry->user_data = static_cast<std::uint64_t>(Kind::ignored);
  }

  void close_when_free(std::size_t index) {
    const LoadConnection& connection = at(index);
    if (connection.is_receiving || connection.is_sending || !leaving_[index]) return;
    leaving_[index].reset();
    --leaving_count_;
  }

  /// Returns the user_data of a request: index, generation and kind, in 32, 24 and 8 bits.
  [[nodiscard]] std::uint64_t name_of(Kind kind, const LoadConnection& connection) const {
    return std::uint64_t{index_of(connection)} << 32 | connection.number % kGenerations << 8 |
           static_cast<std::uint64_t>(kind);
  }

  /// Returns the connection of a request; nullptr if it was replaced.
  LoadConnection* connection_of(std::uint64_t name) {
    LoadConnection& connection = at(name >> 32);
    return (name >> 8) % kGenerations == connection.number % kGenerations ? &connection : nullptr;
  }

  std::vector<LoadEvent> events_;
  std::vector<std::uint32_t> quiet_;    // indexes of connections with a quiet send
  std::vector<BufferRing::Id> taken_;   // buffers of the last events
  std::vector<std::uint64_t> watched_;  // ids
  std::vector<UniqueFd> leaving_;       // by index: failed sockets with requests in the kernel
  std::size_t leaving_count_ = 0;
  bool hurry_ = false;  // bytes wait behind a quiet send, so the next wait must not block
  BufferRing buffers_;
  Ring ring_;  // destroyed first: until then the kernel may write into the buffers
};

}  // namespace

std::unique_ptr<LoadConnections> make_connections(LoadEngine engine, const Pattern& pattern,
                                                  const LoadShare& share,
                                                  std::uint64_t largest_receive) {
  if (engine == LoadEngine::epoll) return make_epoll_connections(pattern, share);
  return std::make_unique<IoUringConnections>(pattern, share, largest_receive);
}

}  // namespace muxlab
