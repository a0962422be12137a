#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "backends/backend.hpp"
#include "backends/libuv_loop.hpp"
#include "backends/parts/callback_guard.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/take_some.hpp"

namespace muxlab {
namespace {

/// libuv's streams: the library receives into a buffer lent for one receive, and calls back with
/// the data. uv_try_write() sends at once as much as possible. The rest becomes a write request,
/// and nothing is received until that is done.
///
/// An exception must not pass through libuv, which is C: it ends the loop and is rethrown.
///
/// libuv 1.44 aborts the process if its own table of descriptors, which doubles now and then, finds
/// no memory. Code outside libuv cannot prevent that. Any other shortage costs one connection.
class LibuvServer {
 public:
  explicit LibuvServer(Worker& worker) : worker_(worker) {}

  void run() {
    loop_.get()->data = this;
    uv_timer_init(loop_.get(), &deadline_);
    libuv::checked(uv_poll_init(loop_.get(), &stop_, worker_.stop), "uv_poll_init");
    libuv::checked(uv_poll_start(&stop_, UV_READABLE,
                                 [](uv_poll_t* stop, int, int) {
                                   of(stop->loop).guard(&LibuvServer::begin_drain);
                                 }),
                   "uv_poll_start");
    watch_source();
    idle_.begin(loop_.get(), [](void* server, int fd) {
      auto& self = *static_cast<LibuvServer*>(server);
      self.close_unless_sending(*self.clients_[fd]);
    });
    uv_run(loop_.get(), UV_RUN_DEFAULT);
    for (const auto& client : clients_) {
      if (client) close(*client);
    }
    guard_.rethrow();
  }
  /// Required by take_some(), both.
  void serve(UniqueFd& socket) {
    const int fd = socket.get();
    std::unique_ptr<Client>& place = clients_[fd];
    auto client = std::unique_ptr<Client>(new Client);
    idle_.touch(fd);
    if (!open(*client, socket)) {
      dispose(std::move(client));
      throw std::bad_alloc();  // the only cause
    }
    place = std::move(client);
  }
  void forget(int fd) { idle_.remove(fd); }

 private:
  /// Deleted when libuv has closed its handle, a turn after its descriptor.
  struct Client {
    union {
      uv_handle_t handle;
      uv_stream_t stream;
      uv_tcp_t tcp;
      uv_pipe_t pipe;
    };
    uv_write_t write;
    uv_shutdown_t shutdown;
    std::unique_ptr<std::byte[]> tail;  ///< received, not sent; usually empty
    std::size_t unsent = 0;             ///< bytes of it at the last count
    bool ended_sending = false;         ///< SHUT_WR sent; further input is discarded

    [[nodiscard]] int fd() const {
      uv_os_fd_t fd = -1;
      uv_fileno(&handle, &fd);
      return fd;
    }
  };

  static LibuvServer& of(uv_loop_t* loop) { return *static_cast<LibuvServer*>(loop->data); }
  static Client& of(void* client) { return *static_cast<Client*>(client); }

  void guard(void (LibuvServer::*step)()) {
    guard_.run([&] { (this->*step)(); }, [this] { uv_stop(loop_.get()); });
  }

  void watch_source() {
    source_.wait_for(loop_.get(), worker_.source.fd(), [](uv_poll_t* source, int error, int) {
      if (error != 0) of(source->loop).guard(&LibuvServer::watch_source);  // libuv has stopped it
      of(source->loop).guard(&LibuvServer::take_connections);
    });
  }

  void take_connections() {
    const int waited_for = worker_.source.fd();
    take_some(worker_, *this);
    if (worker_.source.fd() != waited_for) watch_source();
  }

  bool open(Client& client, UniqueFd& socket) {
    int result = 0;
    if (worker_.options.unix_path) {
      uv_pipe_init(loop_.get(), &client.pipe, 0);
      result = uv_pipe_open(&client.pipe, socket.get());
    } else {
      uv_tcp_init(loop_.get(), &client.tcp);
      result = uv_tcp_open(&client.tcp, socket.get());
    }
    client.handle.data = &client;
    if (result != 0) return false;
    static_cast<void>(socket.release());
    return receive(client);
  }

  static bool receive(Client& client) {
    const int result = uv_read_start(
        &client.stream,
        [](uv_handle_t* handle, std::size_t, uv_buf_t* lent) {
          auto& scratch = of(handle->loop).scratch_;
          *lent = uv_buf_init(scratch.data(), static_cast<unsigned>(scratch.size()));
        },
        [](uv_stream_t* stream, ssize_t size, const uv_buf_t* lent) {
          of(stream->loop).received(of(stream->data), size, lent->base);
        });
    return result == 0;
  }

  /// `size` is negative for an error or end of stream, and 0 for EAGAIN.
  void received(Client& client, ssize_t size, char* data) {
    if (size < 0) return close(client);
    if (size == 0) return;
    idle_.touch(client.fd());
    if (!client.ended_sending) echo(client, {data, static_cast<std::size_t>(size)});
  }

  void echo(Client& client, std::span<char> received) {
    worker_.stats.bytes_in.add(received.size());
    const uv_buf_t all = uv_buf_init(received.data(), static_cast<unsigned>(received.size()));
    int sent = uv_try_write(&client.stream, &all, 1);
    if (sent < 0) {
      if (sent != UV_EAGAIN) return close(client);
      sent = 0;
    }
    worker_.stats.bytes_out.add(static_cast<std::uint64_t>(sent));
    const auto rest = received.subspan(static_cast<std::size_t>(sent));
    if (!rest.empty()) return send_later(client, rest);
    ++worker_.stats.echoes;
    if (draining_) end_sending_when_drained(client);
  }

  void send_later(Client& client, std::span<const char> rest) {
    client.tail.reset(new (std::nothrow) std::byte[rest.size()]);
    if (!client.tail) return close(client);  // a lost connection is better than a lost server
    std::ranges::copy(std::as_bytes(rest), client.tail.get());
    const uv_buf_t tail =
        uv_buf_init(reinterpret_cast<char*>(client.tail.get()), static_cast<unsigned>(rest.size()));
    const int result =
        uv_write(&client.write, &client.stream, &tail, 1, [](uv_write_t* write, int status) {
          if (status == UV_ECANCELED) return;  // it is closed
          of(write->handle->loop).sent(of(write->handle->data), status);
        });
    if (result != 0) return close(client);
    client.unsent = rest.size();
    uv_read_stop(&client.stream);
  }

  void sent(Client& client, int status) {
    if (status != 0) {
      client.unsent = 0;  // libuv does not report how much of it was sent
      return close(client);
    }
    idle_.touch(client.fd());
    count_sent(client);
    client.tail.reset();
    ++worker_.stats.echoes;
    if (!receive(client)) return close(client);
    if (draining_) end_sending_when_drained(client);
  }

  /// Closes an idle client unless bytes were sent meanwhile; libuv calls back only when all are.
  void close_unless_sending(Client& client) {
    const std::size_t unsent = client.unsent;
    count_sent(client);
    if (client.unsent < unsent) return idle_.touch(client.fd());
    close(client);
  }

  /// libuv does not report how much it sent, only how much is left.
  void count_sent(Client& client) {
    const std::size_t left = uv_stream_get_write_queue_size(&client.stream);
    worker_.stats.bytes_out.add(std::exchange(client.unsent, left) - left);
  }

  void close(Client& client) {
    count_sent(client);
    const int fd = client.fd();
    idle_.remove(fd);
    dispose(std::move(clients_[fd]));
    worker_.close_done();
    if (draining_ && worker_.open() == 0) uv_stop(loop_.get());
  }

  static void dispose(std::unique_ptr<Client> client) {
    uv_close(&client.release()->handle,
             [](uv_handle_t* handle) { delete static_cast<Client*>(handle->data); });
  }

  void begin_drain() {
    draining_ = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&stop_), nullptr);  // it stays readable
    while (take_some(worker_, *this)) {
    }
    source_.close();
    worker_.source.close();
    constexpr std::uint64_t kCutOff = 1;  // its clock has whole milliseconds
    uv_timer_start(
        &deadline_, [](uv_timer_t* deadline) { uv_stop(deadline->loop); },
        libuv::to_ms(worker_.options.drain) + kCutOff, 0);
    for (const auto& client : clients_) {
      if (client) end_sending_when_drained(*client);
    }
    if (worker_.open() == 0) uv_stop(loop_.get());
  }

  /// Half-closes unless input waits. That input is echoed first; then echo() or sent() calls this
  /// again.
  static void end_sending_when_drained(Client& client) {
    if (client.tail || has_unread(client.fd())) return;
    client.ended_sending = true;
    uv_shutdown(&client.shutdown, &client.stream, [](uv_shutdown_t*, int) {});
  }

  Worker& worker_;
  libuv::IdleTimer idle_{worker_.options.idle_timeout};
  uv_poll_t stop_{};
  libuv::SourceWatch source_;
  uv_timer_t deadline_{};
  bool draining_ = false;
  CallbackGuard guard_;
  std::array<char, kBufferSize> scratch_;
  FdMap<std::unique_ptr<Client>> clients_;
  libuv::Loop loop_;
};

}  // namespace

extern const Backend libuv_backend{
    .name = "libuv",
    .summary = "libuv's streams: the library receives and calls back",
    .probe = libuv::probe,
    .serve = [](Worker& worker) { LibuvServer(worker).run(); },
};

}  // namespace muxlab
