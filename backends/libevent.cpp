#include <array>
#include <memory>
#include <new>
#include <utility>

#include "backends/backend.hpp"
#include "backends/echo_connection.hpp"
#include "backends/libevent_base.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/take_some.hpp"

namespace muxlab {
namespace {

/// libevent's event API: one event per descriptor, whose callback gets the ready descriptor. The
/// base waits with the method that it was made with. Bytes are moved as in the hand-written loops.
class EventLoop {
 public:
  EventLoop(const char* method, Worker& worker) : worker_(worker), loop_(method, *this) {}

  void run() {
    stop_ = loop_.watch<&EventLoop::begin_drain>(worker_.stop);
    watch_source();
    loop_.run();
    for (Client& client : clients_) {
      if (client.connection) close(client);
    }
  }

  /// Required by take_some(), both.
  void serve(UniqueFd& socket) {
    const int fd = socket.get();
    Client& client = clients_[fd];
    if (client.connection) forget_closed(client);
    idle_.touch(fd);
    client.event = loop_.watch<&EventLoop::handle>(fd);
    client.connection = EchoConnection(std::move(socket));
  }
  void forget(int fd) { idle_.remove(fd); }

 private:
  struct Client {
    libevent::Event event;  ///< freed before the socket is closed
    EchoConnection connection;
  };

  static EventLoop& of(void* loop) { return *static_cast<EventLoop*>(loop); }

  /// Forgets a connection that was closed without this loop: a new socket has its number.
  void forget_closed(Client& client) {
    client.event.reset();
    client.connection.abandon();
    worker_.close_done();
  }

  void watch_source() { source_ = loop_.watch<&EventLoop::take_connections>(worker_.source.fd()); }

  void take_connections(int waited_for) {
    take_some(worker_, *this);
    if (worker_.source.fd() != waited_for) watch_source();
  }

  void handle(int fd) {
    idle_.touch(fd);
    advance(clients_[fd]);
  }

  void advance(Client& client) {
    const Interest waited_for = client.connection.interest();
    const Next next = client.connection.advance(scratch_, Trigger::level, worker_.stats);
    if (next == Next::over) return close(client);
    if (client.connection.interest() != waited_for) change(client);
  }

  /// Assigns the event again, because its interest is fixed when it is made.
  void change(Client& client) {
    const short wanted = client.connection.interest() == Interest::read ? EV_READ : EV_WRITE;
    event* const changed = client.event.get();
    event_del(changed);
    event_assign(changed, loop_.base(), client.connection.fd(),
                 static_cast<short>(wanted | EV_PERSIST), event_get_callback(changed), &loop_);
    if (event_add(changed, nullptr) != 0) close(client);
  }

  void close(Client& client) {
    idle_.remove(client.connection.fd());
    client = Client{};
    worker_.close_done();
    if (draining_ && worker_.open() == 0) loop_.end();
  }

  void begin_drain(int /*stop*/) {
    draining_ = true;
    stop_.reset();  // it stays readable
    while (take_some(worker_, *this)) {
    }
    source_.reset();
    worker_.source.close();
    loop_.end_after(worker_.options.drain);
    for (Client& client : clients_) {
      if (!client.connection) continue;
      client.connection.begin_drain();
      advance(client);
    }
    if (worker_.open() == 0) loop_.end();
  }

  Worker& worker_;
  libevent::Loop<EventLoop> loop_;
  libevent::IdleTimer idle_{loop_.base(), loop_.guard(), worker_.options.idle_timeout,
                            [](void* loop, int fd) { of(loop).close(of(loop).clients_[fd]); },
                            this};
  libevent::Event stop_;
  libevent::Event source_;
  bool draining_ = false;
  FdMap<Client> clients_;
  std::array<std::byte, kBufferSize> scratch_;
};

}  // namespace

extern const Backend libevent_select_backend{
    .name = "libevent-select",
    .summary = "libevent's event API on its select method",
    .probe = [] { return libevent::probe("select"); },
    .serve = [](Worker& worker) { EventLoop("select", worker).run(); },
};

extern const Backend libevent_poll_backend{
    .name = "libevent-poll",
    .summary = "libevent's event API on its poll method",
    .probe = [] { return libevent::probe("poll"); },
    .serve = [](Worker& worker) { EventLoop("poll", worker).run(); },
};

extern const Backend libevent_epoll_backend{
    .name = "libevent-epoll",
    .summary = "libevent's event API on its epoll method, level-triggered",
    .probe = [] { return libevent::probe("epoll"); },
    .serve = [](Worker& worker) { EventLoop("epoll", worker).run(); },
};

}  // namespace muxlab
