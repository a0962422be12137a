#include "backends/io_uring.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "backends/fd_map.hpp"
#include "backends/idle_list.hpp"
#include "backends/io_uring_client.hpp"
#include "backends/ring.hpp"
#include "backends/timer_fd.hpp"

namespace muxlab {
namespace {

/// Completion: the kernel is asked to accept, receive and send, and tells what it did.
///
/// A receive is asked for once per connection and goes on by itself. What it brings is sent from
/// the buffer it came in, by a request that goes to the kernel with the next wait: a turn costs one
/// system call, whatever the number of echoes. A send never waits: so each is complete when that
/// call returns, and a few buffers serve any number of connections. What finds no room is moved to
/// memory of its own, for which the kernel waits.
class IoUringLoop {
 public:
  IoUringLoop(Worker& worker, const RingOptions& options)
      : worker_(worker),
        multishot_(options.multishot),
        quiet_sends_(options.quiet_sends),
        accepts_alone_(worker.options.threading != Threading::shared),
        buffers_(options.buffers, kReceiveSize),
        links_(options.buffers),
        ring_(options.submissions, options.completions) {
    starved_.reserve(options.buffers);
    quiet_.reserve(options.buffers);  // each of them has one
    buffers_.offer_to(ring_);
    if (worker_.options.idle_timeout.count() > 0) idle_.emplace(worker_.options.idle_timeout);
  }

  void run() {
    wait_for_input(worker_.stop, Kind::stop);
    arm_source();
    if (idle_) {
      idle_->advance_to(TimerFd::now());
      fire_after(idle_->tick(), idle_time_, Kind::idle);
    }
    while (!is_over()) turn();
  }

 private:
  /// What a completion is of: the low byte of its user_data. The descriptor is above it, and stays
  /// that connection's until the kernel has nothing of it any more.
  enum class Kind : std::uint8_t { nobody, receive, send, accept, source, stop, idle, deadline };

  static std::uint64_t name_of(Kind kind, int fd = 0) {
    return static_cast<std::uint64_t>(fd) << 8 | static_cast<std::uint64_t>(kind);
  }

  static Kind kind_of(const io_uring_cqe& completion) {
    return static_cast<Kind>(completion.user_data & 0xff);
  }
  static int fd_of(const io_uring_cqe& completion) {
    return static_cast<int>(completion.user_data >> 8);
  }

  [[nodiscard]] bool is_over() const { return draining_ && worker_.open() == 0; }

  void turn() {
    ring_.submit_and_wait(std::exchange(hurry_, false) ? 0 : 1);
    if (idle_) idle_->advance_to(TimerFd::now());
    const unsigned count = ring_.ready();
    for (unsigned i = 0; i < count; ++i) {
      if (kind_of(ring_.completion(i)) == Kind::send) handle_send(ring_.completion(i));
    }
    if (!ring_.has_overflow()) settle_quiet_sends();
    for (unsigned i = 0; i < count; ++i) handle(ring_.completion(i));
    ring_.seen(count);
    buffers_.publish();
    receive_for_the_starved();
    if (idle_due_) close_idle_connections();
    if (std::exchange(deadline_passed_, false)) close_all();
    if (stopping_ && !draining_ && !source_armed_ && !ring_.has_overflow()) begin_drain();
  }

  void handle(const io_uring_cqe& completion) {
    switch (kind_of(completion)) {
      case Kind::receive:
        return received(clients_[fd_of(completion)], completion);
      case Kind::accept:
        return accepted(completion);
      case Kind::source:
        source_armed_ = false;
        return take_connections();
      case Kind::stop:
        stopping_ = true;
        return disarm_source();
      case Kind::idle:
        idle_due_ = true;
        return;
      case Kind::deadline:
        deadline_passed_ = true;
        return;
      case Kind::send:  // dealt with before
      case Kind::nobody:
        return;
    }
  }

  // Where connections come from.

  void arm_source() {
    if (stopping_) return;
    const int fd = worker_.source.fd();
    if (accepts_alone_ && fd == worker_.source.listener()) {
      io_uring_sqe* const entry = ring_.entry();
      io_uring_prep_multishot_accept(entry, fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      entry->user_data = source_name_ = name_of(Kind::accept);
    } else {
      source_name_ = wait_for_input(fd, Kind::source);
    }
    source_armed_ = true;
  }

  void disarm_source() {
    if (source_armed_) cancel(source_name_);
  }

  void accepted(const io_uring_cqe& completion) {
    source_armed_ = (completion.flags & IORING_CQE_F_MORE) != 0;
    if (completion.res != -ECANCELED) {
      if (Taken socket = worker_.source.admit(completion.res)) serve(std::move(*socket));
    }
    if (!source_armed_) return arm_source();
    if (worker_.source.fd() != worker_.source.listener()) disarm_source();  // it pauses
  }

  void take_connections() {
    for (int taken = 0; taken < kTakesPerTurn && take_connection(); ++taken) {
    }
    arm_source();
  }

  bool take_connection() {
    Taken socket = worker_.source.take();
    if (socket) serve(std::move(*socket));
    return socket.has_value();
  }

  void serve(UniqueFd socket) {
    const int fd = socket.get();
    try {
      RingClient& client = clients_[fd];
      if (idle_) idle_->touch(fd);
      client.socket = std::move(socket);
      worker_.began();
      receive(client);
    } catch (const std::bad_alloc&) {
      socket.reset();
      if (idle_) idle_->remove(fd);
      worker_.turned_away();
    }
  }

  // Receiving.

  void receive(RingClient& client) {
    io_uring_sqe* const entry = ring_.entry();
    if (multishot_) {
      io_uring_prep_recv_multishot(entry, client.socket.get(), nullptr, 0, 0);
      entry->file_index = kReceiveLimit;  // called optlen in later headers: ends it after so much
    } else {
      io_uring_prep_recv(entry, client.socket.get(), nullptr, 0, 0);
    }
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = BufferRing::kGroup;
    entry->user_data = name_of(Kind::receive, client.socket.get());
    client.receiving = true;
  }

  void received(RingClient& client, const io_uring_cqe& completion) {
    client.receiving = (completion.flags & IORING_CQE_F_MORE) != 0;
    if (client.quiet && !client.receiving) hurry_ = true;
    if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
      const auto id = static_cast<BufferRing::Id>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
      buffers_.took(id);
      if (completion.res > 0 && !client.closing && !client.ended_sending) {
        echo(client, {.buffer = id, .begin = 0, .end = static_cast<std::uint32_t>(completion.res)});
      } else {
        buffers_.give_back(id);
      }
    }
    if (client.closing) return close_when_free(client);
    if (completion.res > 0) {
      if (idle_) idle_->touch(client.socket.get());
      if (!client.receiving && !client.sending) receive(client);
    } else {
      receive_ended(client, completion.res);
    }
  }

  void receive_ended(RingClient& client, int result) {
    switch (result) {
      case 0:
        client.ended = true;
        if (!client.sending) close(client);
        break;
      case -ENOBUFS:
        if (!client.starved) starved_.push_back(client.socket.get());
        client.starved = true;
        break;
      case -EINVAL:
        if (!multishot_) return close(client);
        multishot_ = false;  // the kernel knows no limit: then one receive at a time
        [[fallthrough]];
      case -EINTR:
      case -EAGAIN:
        if (!client.sending) receive(client);
        break;
      default:
        close(client);
    }
  }

  /// At the end of a turn, when all buffers that can be are given back: one receive for each of
  /// them, first come, first served. Buffers of quiet sends are free after the next call.
  void receive_for_the_starved() {
    const std::size_t count = std::min<std::size_t>(starved_.size(), buffers_.free());
    for (std::size_t i = 0; i < count; ++i) {
      RingClient& client = clients_[starved_[i]];
      if (!std::exchange(client.starved, false) || client.closing) continue;
      if (!client.sending) receive(client);
    }
    starved_.erase(starved_.begin(), starved_.begin() + static_cast<std::ptrdiff_t>(count));
    if (!starved_.empty() && (count > 0 || !quiet_.empty())) hurry_ = true;
  }

  // Sending.

  void echo(RingClient& client, Piece piece) {
    worker_.stats.bytes_in.add(piece.end);
    if (client.tail) {
      append_to_tail(client, piece);
      buffers_.give_back(piece.buffer);
    } else if (client.sending) {
      if (client.quiet) hurry_ = true;
      wait_in_line(client.waiting, piece);
    } else {
      send(client, piece);
    }
  }

  void send(RingClient& client, Piece piece) {
    client.piece = piece;
    client.has_piece = true;
    send(client);
  }

  void wait_in_line(PieceQueue& queue, Piece piece) {
    links_[piece.buffer] = {.next = -1, .end = piece.end};
    (queue.last < 0 ? queue.first : link(queue.last).next) = piece.buffer;
    queue.last = piece.buffer;
  }

  /// The next piece in line; the queue is not empty.
  Piece next_in_line(PieceQueue& queue) {
    const std::int32_t id = std::exchange(queue.first, link(queue.first).next);
    if (queue.first < 0) queue.last = -1;
    return {.buffer = static_cast<BufferRing::Id>(id), .begin = 0, .end = link(id).end};
  }

  Link& link(std::int32_t id) { return links_[static_cast<std::size_t>(id)]; }

  void send(RingClient& client) {
    io_uring_sqe* const entry = ring_.entry();
    const int fd = client.socket.get();
    if (client.tail) {
      io_uring_prep_send(entry, fd, client.tail.get() + client.tail_begin,
                         client.tail_end - client.tail_begin, MSG_NOSIGNAL);
    } else {
      const Piece& piece = client.piece;
      io_uring_prep_send(entry, fd, buffers_.data(piece.buffer) + piece.begin,
                         piece.end - piece.begin, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
      // Nobody has to hear of a success after which there is nothing to do.
      client.quiet = quiet_sends_ && client.receiving && client.waiting.first < 0 && !draining_;
      if (client.quiet) {
        entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
        quiet_.push_back(fd);
        worker_.stats.bytes_out.add(piece.end - piece.begin);
        ++worker_.stats.echoes;
      }
    }
    entry->user_data = name_of(Kind::send, fd);
    client.sending = true;
  }

  void handle_send(const io_uring_cqe& completion) {
    sent(clients_[fd_of(completion)], completion.res);
  }

  /// A send that does not wait is over when the call that submitted it returns. By then the failed
  /// ones have been told of; a short one counts as failed, which is what MSG_WAITALL is for here.
  void settle_quiet_sends() {
    const std::size_t count = quiet_.size();  // more come while they are settled
    for (std::size_t i = 0; i < count; ++i) {
      RingClient& client = clients_[quiet_[i]];
      if (!std::exchange(client.quiet, false)) continue;
      client.sending = false;
      if (client.closing) {
        close_when_free(client);
      } else {
        piece_sent(client);
      }
    }
    quiet_.erase(quiet_.begin(), quiet_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  void sent(RingClient& client, int result) {
    client.sending = false;
    if (std::exchange(client.quiet, false)) {  // it was counted when it was handed over
      worker_.stats.bytes_out.take_back(client.piece.end - client.piece.begin);
      worker_.stats.echoes.take_back(1);
    }
    if (client.closing) return close_when_free(client);
    if (result < 0 && result != -EAGAIN && result != -EINTR) return close(client);
    const auto size = static_cast<std::uint32_t>(std::max(result, 0));
    worker_.stats.bytes_out.add(size);
    if (size > 0 && idle_) idle_->touch(client.socket.get());
    if (client.tail) {
      tail_sent(client, size);
    } else if ((client.piece.begin += size) < client.piece.end) {
      move_to_tail(client) ? send(client) : close(client);
    } else {
      ++worker_.stats.echoes;
      piece_sent(client);
    }
  }

  void piece_sent(RingClient& client) {
    buffers_.give_back(client.piece.buffer);
    client.has_piece = false;
    if (client.waiting.first < 0) return all_sent(client);
    send(client, next_in_line(client.waiting));
  }

  void tail_sent(RingClient& client, std::uint32_t size) {
    client.tail_begin += size;
    if (client.tail_begin < client.tail_end) return send(client);
    client.tail.reset();
    ++worker_.stats.echoes;
    all_sent(client);
  }

  /// Frees the buffers that a client holds who does not read. False when there is no memory.
  bool move_to_tail(RingClient& client) {
    client.tail.reset(new (std::nothrow) std::byte[kBufferSize]);
    client.tail_begin = client.tail_end = 0;
    if (client.tail) {
      append_to_tail(client, client.piece);
      for (std::int32_t id = client.waiting.first; id >= 0; id = link(id).next) {
        append_to_tail(client, {static_cast<BufferRing::Id>(id), 0, link(id).end});
      }
    }
    give_back_buffers(client);
    return client.tail != nullptr;
  }

  void append_to_tail(RingClient& client, const Piece& piece) {
    const std::byte* const data = buffers_.data(piece.buffer);
    std::copy(data + piece.begin, data + piece.end, client.tail.get() + client.tail_end);
    client.tail_end += piece.end - piece.begin;
  }

  void give_back_buffers(RingClient& client) {
    if (std::exchange(client.has_piece, false)) buffers_.give_back(client.piece.buffer);
    while (client.waiting.first >= 0) buffers_.give_back(next_in_line(client.waiting).buffer);
  }

  void all_sent(RingClient& client) {
    if (client.ended) return close(client);
    if (!client.receiving && !client.starved) receive(client);
    if (draining_) end_sending_when_drained(client);
  }

  // Closing.

  /// Has the kernel let go of the connection first: a request that it has keeps the socket open,
  /// and the client would see no end.
  void close(RingClient& client) {
    if (client.closing) return;
    client.closing = true;
    const int fd = client.socket.get();
    if (idle_) idle_->remove(fd);
    if (client.receiving) cancel(name_of(Kind::receive, fd));
    if (client.sending) cancel(name_of(Kind::send, fd));
    close_when_free(client);
  }

  void close_when_free(RingClient& client) {
    if (client.receiving || client.sending) return;
    give_back_buffers(client);
    client = RingClient{};
    worker_.ended();
  }

  void close_idle_connections() {
    idle_due_ = false;
    const bool more = idle_->close_due([this](int fd) { close(clients_[fd]); });
    fire_after(more ? IdleList::Duration(0) : idle_->tick(), idle_time_, Kind::idle);
  }

  void close_all() {
    for (RingClient& client : clients_) {
      if (client) close(client);
    }
  }

  void begin_drain() {
    while (take_connection()) {
    }
    worker_.source.close();
    draining_ = true;
    hurry_ = !quiet_.empty();
    fire_after(worker_.options.drain, deadline_time_, Kind::deadline);
    for (RingClient& client : clients_) {
      if (client && !client.closing) end_sending_when_drained(client);
    }
  }

  /// What waits in the socket is not received yet; when it is sent, all_sent() comes here again.
  static void end_sending_when_drained(RingClient& client) {
    if (client.sending || client.ended_sending) return;
    int unread = 0;
    const bool known = ::ioctl(client.socket.get(), FIONREAD, &unread) == 0;
    if (known && unread > 0) return;
    ::shutdown(client.socket.get(), SHUT_WR);
    client.ended_sending = true;
  }

  // Requests beside those of connections.

  std::uint64_t wait_for_input(int fd, Kind kind) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_poll_add(entry, fd, POLLIN);
    return entry->user_data = name_of(kind);
  }

  void fire_after(IdleList::Duration delay, __kernel_timespec& time, Kind kind) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(delay);
    time = {.tv_sec = seconds.count(), .tv_nsec = (delay - seconds).count()};
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_timeout(entry, &time, 0, 0);
    entry->user_data = name_of(kind);
  }

  void cancel(std::uint64_t name) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_cancel64(entry, name, 0);
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;  // what was cancelled completes, which is what counts
    entry->user_data = name_of(Kind::nobody);
  }

  Worker& worker_;
  bool multishot_;
  bool quiet_sends_;
  /// Of several that wait to accept, the kernel wakes one, whether it waits or is stuck elsewhere:
  /// the connection would be nobody's. Threads that share a listener are told that it is readable.
  bool accepts_alone_;
  bool stopping_ = false;
  bool draining_ = false;
  bool idle_due_ = false;
  bool hurry_ = false;  ///< there is something to do after a quiet send: not to wait for more
  bool deadline_passed_ = false;
  bool source_armed_ = false;
  std::uint64_t source_name_ = 0;
  std::optional<IdleList> idle_;
  __kernel_timespec idle_time_{};
  __kernel_timespec deadline_time_{};
  FdMap<RingClient> clients_;
  std::vector<int> starved_;
  std::vector<int> quiet_;  ///< with a quiet send
  BufferRing buffers_;
  std::vector<Link> links_;
  Ring ring_;  ///< destroyed first: until then the kernel may write into all the others
};

}  // namespace

void serve_with_ring(Worker& worker, const RingOptions& options) {
  IoUringLoop(worker, options).run();
}

}  // namespace muxlab
