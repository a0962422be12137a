#include "backends/io_uring.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "backends/parts/fd_map.hpp"
#include "backends/parts/idle_list.hpp"
#include "backends/parts/timer_fd.hpp"
#include "backends/ring.hpp"
#include "backends/take_some.hpp"

namespace muxlab {
namespace {

/// What the kernel holds for a connection: one request, or a linked pair of them.
///
/// | stage     | the kernel has                        | completion        | next                 |
/// |-----------|---------------------------------------|-------------------|----------------------|
/// | receiving | a receive, maybe linked behind a send | data              | receiving: echo()    |
/// |           |                                       | end, error        | closed               |
/// |           |                                       | no buffer         | starved              |
/// |           |                                       | send fell short   | sending              |
/// | starved   | nothing                               |                   | receiving            |
/// | sending   | a send that waits for room            | all sent          | receiving            |
/// |           |                                       | error             | closed               |
/// | closing   | either, ended by shutdown(2)          | any               | closed               |
enum class Stage : std::uint8_t { receiving, starved, sending, closing };

struct Client {
  UniqueFd socket;
  Stage stage = Stage::receiving;
  bool discards = false;              ///< SHUT_WR sent; further input is discarded
  std::unique_ptr<std::byte[]> rest;  ///< sending: bytes that did not fit into the socket's buffer
  std::uint32_t rest_begin = 0;
  std::uint32_t rest_end = 0;  ///< receiving: size of the previous echo
};

/// Completion: the kernel is asked to accept, receive and send, and reports the results.
///
/// An echo is a pair of linked requests: a send from the buffer that was received into, and then a
/// receive into the next buffer. The send does not wait: it succeeds, without a completion, or ends
/// the link. So it has completed when the call that submits it returns, and its buffer is free
/// again. All pairs of a turn are submitted with the waiting call: one system call for all of them.
///
/// A client that does not read holds one piece of memory, and nothing more is received from it.
class IoUringLoop {
 public:
  IoUringLoop(Worker& worker, const RingOptions& options) : worker_(worker), options_(options) {
    sent_.reserve(options.buffers);  // at most one echo per buffer
    buffers_.offer_to(ring_, options_.first_buffers);
  }

  void run() {
    ring_.prepare_poll(worker_.stop, user_data_of(Kind::stop));
    arm_source();
    idle_.begin();
    if (idle_.is_on()) ring_.prepare_poll(idle_.fd(), user_data_of(Kind::idle));
    while (phase_ != Phase::draining || worker_.open() > 0) turn();
  }

  /// Required by take_some(), both.
  void serve(UniqueFd& socket) {
    Client& client = clients_[socket.get()];
    if (client.socket) throw std::bad_alloc();  // its number is still in use here
    starved_.reserve(clients_.capacity());
    idle_.touch(socket.get());
    client.socket = std::move(socket);
    receive(client);
  }
  void forget(int fd) { idle_.remove(fd); }

 private:
  enum class Kind : char { none, receive, echo, send, accept, source, stop, idle, deadline };

  /// Steps of stopping. Echoes post no completion only while serving.
  enum class Phase : std::uint8_t {
    serving,
    stopping,  ///< disarms the source, then takes the last connections and closes it
    settling,  ///< waits until earlier sends are complete and all completions are handled
    draining,
  };

  void turn() {
    ring_.submit_and_wait(phase_ == Phase::settling || !starved_.empty() ? 0 : 1);
    cut_link_ = ring_.cut_link();
    const bool sends_are_over = ring_.is_all_submitted() && !ring_.has_overflow();
    const std::size_t over = sends_are_over ? sent_.size() : 0;
    idle_.note_time();
    const unsigned count = ring_.ready();
    for (unsigned i = 0; i < count; ++i) handle(ring_.completion(i));
    ring_.seen(count);
    free_buffers_of(over);
    receive_for_the_starved();
    if (std::exchange(idle_due_, false)) close_idle_connections();
    if (phase_ == Phase::settling) begin_drain_once_settled();
    if (phase_ == Phase::stopping && !source_armed_) close_source();
  }

  void handle(const io_uring_cqe& completion) {
    const int fd = fd_of(completion);
    switch (kind_of<Kind>(completion)) {
      case Kind::receive:
        return received(clients_[fd], completion);
      case Kind::echo:
        return echo_failed(clients_[fd], completion);
      case Kind::send:
        return sent(clients_[fd], completion.res);
      case Kind::accept:
        return accepted(completion);
      case Kind::source:
        source_armed_ = false;
        take_some(worker_, *this);
        return arm_source();
      case Kind::stop:
        phase_ = Phase::stopping;
        if (source_armed_) disarm_source();
        return;
      case Kind::idle:
        idle_due_ = true;
        return;
      case Kind::deadline:
        return close_all();
      case Kind::none:
        return;
    }
  }

  void arm_source() {
    if (phase_ != Phase::serving) return;
    source_armed_ = true;
    const int fd = worker_.source.fd();
    if (!accepts_alone_ || fd != worker_.source.listener()) {
      source_request_ = user_data_of(Kind::source);
      return ring_.prepare_poll(fd, source_request_);
    }
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_multishot_accept(entry, fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    entry->user_data = source_request_ = user_data_of(Kind::accept);
  }

  void disarm_source() { ring_.prepare_cancel(source_request_, user_data_of(Kind::none)); }

  void accepted(const io_uring_cqe& completion) {
    source_armed_ = (completion.flags & IORING_CQE_F_MORE) != 0;
    if (completion.res != -ECANCELED) {
      Taken socket = worker_.source.accept_result(completion.res);
      if (socket) begin_to_serve(worker_, std::move(*socket), *this);
    }
    if (!source_armed_) return arm_source();
    if (worker_.source.fd() != worker_.source.listener()) disarm_source();  // paused
  }

  void receive(Client& client) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_recv(entry, client.socket.get(), nullptr, 0, 0);
    BufferRing::pick_for(*entry);
    if (options_.polls_first) entry->ioprio |= IORING_RECVSEND_POLL_FIRST;
    entry->user_data = user_data_of(Kind::receive, client.socket.get());
    client.stage = Stage::receiving;
  }

  void received(Client& client, const io_uring_cqe& completion) {
    const int result = completion.res;
    if (result > 0) {
      const BufferRing::Id id = buffers_.take(completion);
      if (client.stage == Stage::receiving && !client.discards) {
        idle_.touch(client.socket.get());
        return echo(client, id, completion);
      }
      buffers_.give_back(id);
    }
    if (client.stage != Stage::receiving) return close_now(client);
    if (result > 0 || result == -EINTR || result == -EAGAIN) return receive(client);
    if (result != -ENOBUFS) return close_now(client);
    client.stage = Stage::starved;
    starved_.push_back(client.socket.get());
  }

  /// Starts one receive per free buffer, first come, first served.
  void receive_for_the_starved() {
    if (!starved_.empty()) buffers_.add_more();
    const std::size_t count = std::min<std::size_t>(starved_.size(), buffers_.free());
    for (std::size_t i = 0; i < count; ++i) {
      if (Client& client = clients_[starved_[i]]; client.stage == Stage::starved) receive(client);
    }
    starved_.erase(starved_.begin(), starved_.begin() + static_cast<std::ptrdiff_t>(count));
  }

  void echo(Client& client, BufferRing::Id id, const io_uring_cqe& received) {
    const auto size = static_cast<std::uint32_t>(received.res);
    worker_.stats.bytes_in.add(size);
    const std::byte* const data = buffers_.data(id);
    if (phase_ != Phase::serving) {  // the drain must know when all is sent
      buffers_.give_back(id);
      return send_rest(client, data, size);
    }
    ring_.make_room(2);  // a link holds within one submission
    io_uring_sqe* const entry = ring_.entry();
    const bool is_followed = (received.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
    const int more = is_followed ? options_.more : 0;  // then one packet may carry both
    io_uring_prep_send(entry, client.socket.get(), data, size,
                       MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL | more);
    entry->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = user_data_of(Kind::echo, client.socket.get(), id);
    client.rest_end = size;
    sent_.push_back(id);
    worker_.stats.bytes_out.add(size);
    ++worker_.stats.echoes;
    receive(client);
  }

  static bool is_over(int result) { return result < 0 && result != -EAGAIN && result != -EINTR; }

  void echo_failed(Client& client, const io_uring_cqe& completion) {
    const BufferRing::Id id = sent_buffer_of(completion);
    const auto size = static_cast<std::uint32_t>(std::max(completion.res, 0));
    const std::uint32_t unsent = client.rest_end - size;
    worker_.stats.bytes_out.take_back(unsent);
    worker_.stats.echoes.take_back(1);
    if (client.socket.get() == cut_link_) return close(client);  // its receive is not cancelled
    if (is_over(completion.res) || client.stage == Stage::closing) return close_now(client);
    send_rest(client, buffers_.data(id) + size, unsent);
  }

  void sent(Client& client, int result) {
    if (is_over(result) || client.stage == Stage::closing) return close_now(client);
    const auto size = static_cast<std::uint32_t>(std::max(result, 0));
    worker_.stats.bytes_out.add(size);
    if (size > 0) idle_.touch(client.socket.get());
    client.rest_begin += size;
    if (client.rest_begin < client.rest_end) return send_rest(client);
    client.rest.reset();
    ++worker_.stats.echoes;
    if (phase_ == Phase::draining) end_sending_when_drained(client);
    receive(client);
  }

  /// Sends from memory of its own, so that the buffer is free. Nothing is received meanwhile.
  void send_rest(Client& client, const std::byte* data, std::uint32_t size) {
    client.rest.reset(new (std::nothrow) std::byte[size]);
    if (!client.rest) return close_now(client);
    std::copy_n(data, size, client.rest.get());
    client.rest_begin = 0;
    client.rest_end = size;
    send_rest(client);
  }

  void send_rest(Client& client) {
    io_uring_sqe* const entry = ring_.entry();
    io_uring_prep_send(entry, client.socket.get(), client.rest.get() + client.rest_begin,
                       client.rest_end - client.rest_begin, MSG_NOSIGNAL);
    entry->user_data = user_data_of(Kind::send, client.socket.get());
    client.stage = Stage::sending;
  }

  /// Frees the buffers of the first `count` prepared echoes.
  void free_buffers_of(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) buffers_.give_back(sent_[i]);
    sent_.erase(sent_.begin(), sent_.begin() + static_cast<std::ptrdiff_t>(count));
    buffers_.publish();
  }

  /// Makes the kernel end its request first, because that holds the socket open and uses our
  /// memory.
  void close(Client& client) {
    if (client.stage == Stage::starved) return close_now(client);
    client.stage = Stage::closing;
    ::shutdown(client.socket.get(), SHUT_RDWR);
  }

  /// Closes a client for which the kernel has no request any more.
  void close_now(Client& client) {
    idle_.remove(client.socket.get());
    client = Client{};
    worker_.close_done();
  }

  void close_idle_connections() {
    idle_.close_due([this](int fd) {
      idle_.remove(fd);
      close(clients_[fd]);
    });
    ring_.prepare_poll(idle_.fd(), user_data_of(Kind::idle));
  }

  void close_all() {
    for (Client& client : clients_) {
      if (client.socket && client.stage != Stage::closing) close(client);
    }
  }

  void close_source() {
    while (take_some(worker_, *this)) {
    }
    worker_.source.close();
    phase_ = Phase::settling;
  }

  void begin_drain_once_settled() {
    if (!sent_.empty() || ring_.ready() > 0 || ring_.has_overflow()) return;
    phase_ = Phase::draining;
    deadline_.fire_after(worker_.options.drain);
    ring_.prepare_poll(deadline_.fd(), user_data_of(Kind::deadline));
    for (Client& client : clients_) {
      const bool is_receiving = client.stage == Stage::receiving || client.stage == Stage::starved;
      if (client.socket && is_receiving) end_sending_when_drained(client);
    }
  }

  /// Half-closes unless input waits. That input is echoed first; then sent() calls this again.
  static void end_sending_when_drained(Client& client) {
    if (client.discards || has_unread(client.socket.get())) return;
    ::shutdown(client.socket.get(), SHUT_WR);
    client.discards = true;
  }

  Worker& worker_;
  const RingOptions options_;
  /// Of several multishot accepts the kernel completes one, even if its thread is stuck: the
  /// connection would wait. So threads that share a listener wait until it is readable instead.
  const bool accepts_alone_ = worker_.options.threading != Threading::shared;
  bool source_armed_ = false;
  Phase phase_ = Phase::serving;
  bool idle_due_ = false;
  std::uint64_t source_request_ = 0;
  int cut_link_ = -1;
  IdleWatch idle_{worker_.options.idle_timeout};
  TimerFd deadline_;
  FdMap<Client> clients_;
  std::vector<int> starved_;          ///< descriptors, in the order in which they found no buffer
  std::vector<BufferRing::Id> sent_;  ///< buffers of the prepared echoes
  BufferRing buffers_{options_.buffers, options_.receive_size};
  /// Destroyed first: until then the kernel may write into the members above.
  Ring ring_{options_.submissions, options_.completions};
};

}  // namespace

void serve_with_ring(Worker& worker, const RingOptions& options) {
  IoUringLoop(worker, options).run();
}

}  // namespace muxlab
