#include "backends/reactor.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "backends/echo_connection.hpp"
#include "backends/parts/failure.hpp"
#include "backends/parts/fd_map.hpp"
#include "backends/parts/idle_list.hpp"
#include "backends/parts/timer_fd.hpp"
#include "backends/take_some.hpp"

namespace muxlab {
namespace {

class Reactor {
 public:
  Reactor(Poller& poller, Worker& worker) : poller_(poller), worker_(worker) {}

  void run() {
    poller_.add(worker_.stop, Interest::read);
    poller_.add_exclusive(worker_.source.fd());
    idle_.begin();
    if (idle_.is_on()) poller_.add(idle_.fd(), Interest::read);
    while (turn()) {
    }
    for (EchoConnection& connection : connections_) {
      if (connection) close(connection);
    }
  }
  /// Required by take_some(), both.
  void serve(UniqueFd& socket) {
    const int fd = socket.get();
    EchoConnection& connection = connections_[fd];
    if (connection) forget_closed(fd);
    idle_.touch(fd);
    poller_.add(fd, Interest::read);
    connection = EchoConnection(std::move(socket));
  }
  void forget(int fd) { idle_.remove(fd); }

 private:
  /// Forgets a connection that was closed without this loop: a new socket has its number.
  void forget_closed(int fd) {
    poller_.remove(fd);
    connections_[fd].abandon();
    worker_.close_done();
  }
  /// Waits once and handles ready descriptors. Returns false at the end.
  bool turn() {
    const auto ready = poller_.wait();
    idle_.note_time();
    bool idle_timer_fired = false;
    for (const int fd : ready) {
      if (fd == worker_.stop) {
        begin_drain();
      } else if (fd == worker_.source.fd()) {
        take_some_and_wait(poller_, worker_, *this);
      } else if (fd == idle_.fd()) {
        idle_timer_fired = true;
      } else if (fd == drain_deadline_.fd()) {
        return false;
      } else if (EchoConnection* connection = connections_.find(fd); connection && *connection) {
        advance(*connection);
      }
    }
    if (idle_timer_fired && !idle_.close_due([this](int fd) { close(connections_[fd]); })) {
      poller_.modify(idle_.fd(), Interest::read);  // reports it again, edge-triggered or not
    }
    return !draining_ || worker_.open() > 0;
  }

  void advance(EchoConnection& connection) {
    const Interest waited_for = connection.interest();
    const std::uint64_t moved_before = bytes_moved();
    const Next next = connection.advance(scratch_, poller_.trigger(), worker_.stats);
    if (bytes_moved() != moved_before) idle_.touch(connection.fd());
    if (next == Next::over) return close(connection);
    if (next == Next::yield || connection.interest() != waited_for) wait_for(connection);
  }

  void wait_for(EchoConnection& connection) {
    try {
      poller_.modify(connection.fd(), connection.interest());
    } catch (const std::bad_alloc&) {
      close(connection);
    }
  }

  /// Distinguishes activity from a spurious report.
  [[nodiscard]] std::uint64_t bytes_moved() const {
    return worker_.stats.bytes_in.get() + worker_.stats.bytes_out.get();
  }

  void close(EchoConnection& connection) {
    idle_.remove(connection.fd());
    poller_.remove(connection.fd());
    connection = EchoConnection();
    worker_.close_done();
  }

  void begin_drain() {
    poller_.remove(worker_.stop);         // it stays readable
    poller_.remove(worker_.source.fd());  // first: a connection after the last take is reset
    while (take_some(worker_, *this)) {
    }
    worker_.source.close();
    draining_ = true;
    drain_deadline_.fire_after(worker_.options.drain);
    poller_.add(drain_deadline_.fd(), Interest::read);
    for (EchoConnection& connection : connections_) {
      if (!connection) continue;
      connection.begin_drain();
      advance(connection);
    }
  }

  Poller& poller_;
  Worker& worker_;
  FdMap<EchoConnection> connections_;
  IdleWatch idle_{worker_.options.idle_timeout};
  TimerFd drain_deadline_;  ///< made early: at the end no descriptor may be free
  bool draining_ = false;
  std::array<std::byte, kBufferSize> scratch_;  ///< stays in the cache: every connection uses it
};

}  // namespace

void run_reactor(Poller& poller, Worker& worker) { Reactor(poller, worker).run(); }

bool reports_readable(Poller& poller) {
  constexpr int kPatience_ms = 1000, kTries = 10;  // a signal ends a wait early
  const UniqueFd readable(checked(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
  poller.add(readable.get(), Interest::read);
  bool reported = false;
  for (int i = 0; i < kTries && !reported; ++i) {
    reported = std::ranges::count(poller.wait(kPatience_ms / kTries), readable.get()) > 0;
  }
  poller.remove(readable.get());
  return reported;
}

}  // namespace muxlab
