#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <asio/bind_allocator.hpp>
#include <asio/buffer.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/idle_list.hpp"
#include "backends/parts/operation_memory.hpp"
#include "backends/parts/timer_fd.hpp"
#include "backends/take_some.hpp"

namespace muxlab {
namespace {

// Fixes the executor type: by default Asio's objects hold an executor of any type.
using Executor = asio::io_context::executor_type;
using Socket = asio::generic::stream_protocol::socket::rebind_executor<Executor>::other;
using Descriptor = asio::posix::stream_descriptor::rebind_executor<Executor>::other;
using Timer = asio::steady_timer::rebind_executor<Executor>::other;

template <typename Handler>
auto with_memory(OperationMemory& memory, Handler handler) {
  return asio::bind_allocator(OperationMemory::Allocator<void>(memory), handler);
}

/// Waits for a borrowed descriptor, which Asio would otherwise close.
class BorrowedDescriptor {
 public:
  explicit BorrowedDescriptor(asio::io_context& io) : descriptor_(io) {}
  BorrowedDescriptor(const BorrowedDescriptor&) = delete;
  BorrowedDescriptor& operator=(const BorrowedDescriptor&) = delete;
  ~BorrowedDescriptor() { release(); }

  /// Calls `handler` once, when `fd` is readable; after release(), with an error.
  template <typename Handler>
  void async_wait(int fd, Handler handler) {
    if (!descriptor_.is_open() || descriptor_.native_handle() != fd) {
      release();
      descriptor_.assign(fd);
    }
    descriptor_.async_wait(Descriptor::wait_read, with_memory(memory_, handler));
  }
  void release() {
    if (descriptor_.is_open()) descriptor_.release();
  }

 private:
  Descriptor descriptor_;
  OperationMemory memory_;
};

/// Asio's proactor, as in the echo server of its documentation: a session's handler is called when
/// its buffer has been filled or sent. The library needs the buffer in advance, so an idle
/// connection does hold one here.
class AsioServer {
 public:
  explicit AsioServer(Worker& worker) : worker_(worker) {
    if (worker.options.idle_timeout.count() > 0) idle_.emplace(worker.options.idle_timeout);
  }

  void run() {
    std::exception_ptr failure;
    try {
      stop_.async_wait(worker_.stop, [this](asio::error_code) {
        if (!over_) begin_drain();
      });
      wait_for_source();
      if (idle_) close_idle_after(idle_->tick());
      io_.run();
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
    end();
    if (failure) std::rethrow_exception(failure);
  }

  /// Required by take_some(), both.
  void serve(UniqueFd& socket) {
    const int fd = socket.get();
    std::unique_ptr<Session>& place = sessions_[fd];
    std::unique_ptr<Session> session(new Session(io_));  // does not touch its buffer
    touch(fd);
    open(*session, socket);
    receive(*session);
    place = std::move(session);
  }
  void forget(int fd) {
    if (idle_) idle_->remove(fd);
  }

 private:
  /// One operation is always under way. A session that is closed meanwhile is deleted when its
  /// handler is called.
  struct Session {
    explicit Session(asio::io_context& io) : socket(io) {}

    Socket socket;
    bool sending = false;        ///< sends received bytes; else it waits to receive
    bool over = false;           ///< closed
    bool ended_sending = false;  ///< SHUT_WR sent; further input is discarded
    std::size_t sent = 0;        ///< bytes of the current echo that are sent
    OperationMemory memory;
    std::array<std::byte, kBufferSize> buffer;
  };

  void wait_for_source() {
    source_.async_wait(worker_.source.fd(), [this](asio::error_code) {
      if (!draining_ && !over_) take_connections();
    });
  }

  void take_connections() {
    take_some(worker_, *this);
    wait_for_source();
  }

  void open(Session& session, UniqueFd& socket) const {
    const int family = worker_.options.unix_path ? AF_UNIX : AF_INET;
    asio::error_code error;
    session.socket.assign(asio::generic::stream_protocol(family, 0), socket.get(), error);
    if (error) throw std::bad_alloc();  // the only cause: epoll_ctl(2) lacks memory
    static_cast<void>(socket.release());
  }

  void receive(Session& session) {
    session.socket.async_read_some(
        asio::buffer(session.buffer),
        with_memory(session.memory, [this, &session](asio::error_code error, std::size_t size) {
          received(session, error, size);
        }));
  }

  void received(Session& session, asio::error_code error, std::size_t size) {
    if (session.over) return delete &session;
    // Draining begins, and there was nothing to receive.
    const bool cancelled = error == asio::error::operation_aborted;
    if (error && !cancelled) return end(session);
    if (!cancelled) touch(session.socket.native_handle());
    if (!cancelled && !session.ended_sending) return echo(session, size);
    if (cancelled) end_sending_when_drained(session);
    receive(session);
  }

  void echo(Session& session, std::size_t size) {
    worker_.stats.bytes_in.add(size);
    session.sending = true;
    session.sent = 0;
    asio::async_write(
        session.socket, asio::buffer(session.buffer, size),
        [this, &session](asio::error_code error, std::size_t sent) {
          return most_to_send(session, error, sent);
        },
        with_memory(session.memory, [this, &session](asio::error_code error, std::size_t sent) {
          all_sent(session, error, sent);
        }));
  }

  /// Called before each send with the result of the previous one, which is activity too.
  std::size_t most_to_send(Session& session, asio::error_code error, std::size_t sent) {
    if (error || session.over) return 0;
    touch(session.socket.native_handle());
    count_sent(session, sent);
    return kBufferSize;
  }

  void all_sent(Session& session, asio::error_code error, std::size_t sent) {
    if (session.over) return delete &session;
    count_sent(session, sent);
    if (error) return end(session);
    touch(session.socket.native_handle());
    ++worker_.stats.echoes;
    session.sending = false;
    if (draining_) end_sending_when_drained(session);
    receive(session);
  }

  void count_sent(Session& session, std::size_t sent) {
    worker_.stats.bytes_out.add(sent - std::exchange(session.sent, sent));
  }

  /// Closes and deletes a session. For its own handler, when no operation is under way.
  void end(Session& session) { close(session); }
  /// Closes a session, for other callers. Its handler, called soon with an error, deletes it.
  void abandon(Session& session) { static_cast<void>(close(session).release()); }

  std::unique_ptr<Session> close(Session& session) {
    const int fd = session.socket.native_handle();
    if (idle_) idle_->remove(fd);
    session.over = true;
    asio::error_code ignored;
    session.socket.close(ignored);
    worker_.close_done();
    if (draining_ && worker_.open() == 0) io_.stop();
    return std::move(sessions_[fd]);
  }

  void touch(int fd) {
    if (!idle_) return;
    idle_->advance_to(TimerFd::now());
    idle_->touch(fd);
  }

  /// Closes some at a time, so that ten thousand at once do not delay other connections.
  void close_idle_after(std::chrono::nanoseconds delay) {
    idle_timer_.expires_after(delay);
    idle_timer_.async_wait(with_memory(idle_timer_memory_, [this](asio::error_code error) {
      if (!error && !over_) close_idle();
    }));
  }

  void close_idle() {
    idle_->advance_to(TimerFd::now());
    const bool more = idle_->close_due([this](int fd) { abandon(*sessions_[fd]); });
    close_idle_after(more ? std::chrono::nanoseconds(0) : idle_->tick());
  }

  /// A waiting session may have received already, with its handler about to be called. So the
  /// handlers end sending: a cancelled operation had received nothing.
  void begin_drain() {
    draining_ = true;
    stop_.release();  // it stays readable
    while (take_some(worker_, *this)) {
    }
    source_.release();
    worker_.source.close();
    deadline_.expires_after(worker_.options.drain);
    deadline_.async_wait(with_memory(deadline_memory_, [this](asio::error_code error) {
      if (!error) io_.stop();
    }));
    asio::error_code ignored;
    for (const auto& session : sessions_) {
      if (session && !session->sending) session->socket.cancel(ignored);
    }
    if (worker_.open() == 0) io_.stop();
  }

  /// Half-closes unless input waits. That input is echoed first; then all_sent() calls this again.
  static void end_sending_when_drained(Session& session) {
    asio::error_code error;
    if (session.socket.available(error) > 0) return;
    session.socket.shutdown(Socket::shutdown_send, error);
    session.ended_sending = true;
  }

  /// Closes all sessions, and runs the handlers that are left.
  void end() {
    over_ = true;
    for (const auto& session : sessions_) {
      if (session) abandon(*session);
    }
    stop_.release();
    source_.release();
    idle_timer_.cancel();
    deadline_.cancel();
    do io_.restart();
    while (io_.run() > 0);
  }

  Worker& worker_;
  OperationMemory idle_timer_memory_;
  OperationMemory deadline_memory_;
  asio::io_context io_{ASIO_CONCURRENCY_HINT_UNSAFE};  // one thread: it needs no locks
  std::optional<IdleList> idle_;
  Timer idle_timer_{io_};
  Timer deadline_{io_};
  BorrowedDescriptor stop_{io_};
  BorrowedDescriptor source_{io_};
  bool draining_ = false;
  bool over_ = false;
  FdMap<std::unique_ptr<Session>> sessions_;
};

Availability probe() try {
  const UniqueFd readable(checked(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
  bool reported = false;
  asio::io_context io(ASIO_CONCURRENCY_HINT_UNSAFE);
  BorrowedDescriptor descriptor(io);
  descriptor.async_wait(readable.get(),
                        [&](asio::error_code error) { reported = reported || !error; });
  io.poll();
  descriptor.release();
  io.restart();
  io.poll();  // runs the last handler before its memory is gone
  return reported ? Availability{}
                  : Availability::never("it does not report a readable descriptor", "");
} catch (const std::system_error& error) {
  return Availability::never(error);
}

}  // namespace

extern const Backend asio_backend{
    .name = "asio",
    .summary = "Asio's asynchronous reads and writes: the library moves the bytes",
    .probe = probe,
    .serve = [](Worker& worker) { AsioServer(worker).run(); },
    // It tries to receive before it waits, which fails unless the next request is there already.
    .calls = std::nullopt,
};

}  // namespace muxlab
