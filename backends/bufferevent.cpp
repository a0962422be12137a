#include <event2/buffer.h>
#include <sys/socket.h>

#include <memory>
#include <new>
#include <utility>

#include "backends/backend.hpp"
#include "backends/libevent_base.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/take_some.hpp"

namespace muxlab {
namespace {

/// libevent's bufferevents: the library receives into one buffer, sends from another, and calls
/// back when bytes came in or all went out. An echo moves the chunks from one to the other.
///
/// The textbook form of this echo has two faults, which are fixed here. It reads on while nothing
/// can be sent, so a client that does not read grows the output without bound. And it frees the
/// bufferevent at end of stream, with the echo still in it.
class BuffereventLoop {
 public:
  explicit BuffereventLoop(Worker& worker) : worker_(worker), loop_("epoll", *this) {}

  void run() {
    stop_ = loop_.watch<&BuffereventLoop::begin_drain>(worker_.stop);
    watch_source();
    loop_.run();
    for (const auto& client : clients_) {
      if (client) close(*client);
    }
  }

  /// Required by take_some(), both.
  void serve(UniqueFd& socket) {
    const int fd = socket.get();
    std::unique_ptr<Client>& place = clients_[fd];
    auto client = std::make_unique<Client>(Client{.loop = *this, .stream = {}});
    client->stream.reset(bufferevent_socket_new(loop_.base(), fd, BEV_OPT_CLOSE_ON_FREE));
    if (!client->stream) throw std::bad_alloc();
    static_cast<void>(socket.release());
    bufferevent_setcb(
        client->stream.get(), [](bufferevent*, void* c) { of(c).loop.received(of(c)); },
        [](bufferevent*, void* c) { of(c).loop.all_sent(of(c)); },
        [](bufferevent*, short what, void* c) { of(c).loop.ended(of(c), what); }, client.get());
    bufferevent_set_max_single_read(client->stream.get(), kMaxSingleRead);
    // Writing is enabled from the start.
    if (bufferevent_enable(client->stream.get(), EV_READ) != 0) throw std::bad_alloc();
    idle_.touch(fd);
    place = std::move(client);
  }
  void forget(int fd) { idle_.remove(fd); }

 private:
  struct Client {
    BuffereventLoop& loop;
    libevent::Bufferevent stream;  ///< owns the socket
    std::size_t unsent = 0;        ///< bytes in its output at the last count
    bool ended = false;            ///< the client sends no more; close when all is sent
    bool ended_sending = false;    ///< SHUT_WR sent; further input is discarded

    [[nodiscard]] int fd() const { return bufferevent_getfd(stream.get()); }
    [[nodiscard]] evbuffer* input() const { return bufferevent_get_input(stream.get()); }
    [[nodiscard]] std::size_t output_size() const {
      return evbuffer_get_length(bufferevent_get_output(stream.get()));
    }
  };

  static Client& of(void* client) { return *static_cast<Client*>(client); }

  void watch_source() {
    source_ = loop_.watch<&BuffereventLoop::take_connections>(worker_.source.fd());
  }

  void take_connections(int waited_for) {
    take_some(worker_, *this);
    if (worker_.source.fd() != waited_for) watch_source();
  }

  void received(Client& client) {
    idle_.touch(client.fd());
    const std::size_t received = evbuffer_get_length(client.input());
    if (client.ended_sending) {
      evbuffer_drain(client.input(), received);
      return;
    }
    count_sent(client);
    worker_.stats.bytes_in.add(received);
    client.unsent += received;
    bufferevent_write_buffer(client.stream.get(), client.input());
    if (client.unsent + kMaxSingleRead > kBufferSize) {
      bufferevent_disable(client.stream.get(), EV_READ);
    }
  }

  void all_sent(Client& client) {
    idle_.touch(client.fd());
    count_sent(client);
    ++worker_.stats.echoes;
    if (client.ended) return close(client);
    const bool reads = (bufferevent_get_enabled(client.stream.get()) & EV_READ) != 0;
    if (!reads && bufferevent_enable(client.stream.get(), EV_READ) != 0) return close(client);
    if (draining_) end_sending_when_drained(client);
  }

  /// Closes an idle client unless bytes were sent meanwhile; libevent calls back only when all are.
  void close_unless_sending(Client& client) {
    const std::size_t unsent = client.unsent;
    count_sent(client);
    if (client.unsent < unsent) return idle_.touch(client.fd());
    close(client);
  }

  /// Handles end of stream, or an error: only the first leaves something to send.
  void ended(Client& client, short what) {
    client.ended = true;
    const bool at_end_of_stream = (what & BEV_EVENT_EOF) != 0;
    if (!at_end_of_stream || client.output_size() == 0) close(client);
  }

  void close(Client& client) {
    count_sent(client);
    idle_.remove(client.fd());
    clients_[client.fd()].reset();
    worker_.close_done();
    if (draining_ && worker_.open() == 0) loop_.end();
  }

  /// libevent does not report how much it sent, only how much is left.
  void count_sent(Client& client) {
    const std::size_t left = client.output_size();
    worker_.stats.bytes_out.add(std::exchange(client.unsent, left) - left);
  }

  void begin_drain(int /*stop*/) {
    draining_ = true;
    stop_.reset();  // it stays readable
    while (take_some(worker_, *this)) {
    }
    source_.reset();
    worker_.source.close();
    loop_.end_after(worker_.options.drain);
    for (const auto& client : clients_) {
      if (client) end_sending_when_drained(*client);
    }
    if (worker_.open() == 0) loop_.end();
  }

  /// Half-closes unless input waits. That input is echoed first; then all_sent() calls this again.
  static void end_sending_when_drained(Client& client) {
    if (client.output_size() > 0 || has_unread(client.fd())) return;
    ::shutdown(client.fd(), SHUT_WR);
    client.ended_sending = true;
  }

  static constexpr std::size_t kMaxSingleRead = 4096;  // the most that libevent 2.1 reads anyway

  Worker& worker_;
  libevent::Loop<BuffereventLoop> loop_;
  libevent::IdleTimer idle_{loop_.base(), loop_.guard(), worker_.options.idle_timeout,
                            [](void* self, int fd) {
                              auto& loop = *static_cast<BuffereventLoop*>(self);
                              loop.close_unless_sending(*loop.clients_[fd]);
                            },
                            this};
  libevent::Event stop_;
  libevent::Event source_;
  bool draining_ = false;
  FdMap<std::unique_ptr<Client>> clients_;
};

}  // namespace

extern const Backend bufferevent_backend{
    .name = "bufferevent",
    .summary = "libevent's buffered I/O on its epoll method: the library moves the bytes",
    .probe = [] { return libevent::probe("epoll"); },
    .serve = [](Worker& worker) { BuffereventLoop(worker).run(); },
    // It moves the bytes in two turns: it waits for room before it sends, and it asks the kernel
    // for the size of the input before it receives.
    .calls = CallsPerEcho{.events = 2, .ctl = 2, .other = 1},
};

}  // namespace muxlab
