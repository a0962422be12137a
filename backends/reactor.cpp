#include "backends/reactor.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "backends/echo_connection.hpp"
#include "backends/failure.hpp"
#include "backends/fd_map.hpp"

namespace muxlab {
namespace {

class Reactor {
 public:
  Reactor(Poller& poller, Worker& worker) : poller_(poller), worker_(worker) {}

  void run() {
    poller_.add(worker_.stop, Interest::read);
    poller_.add(worker_.source.fd(), Interest::read);
    while (turn()) {
    }
    for (EchoConnection& connection : connections_) {
      if (connection) close(connection);
    }
  }

 private:
  /// Waits once and handles what is ready. False when it is time to stop.
  bool turn() {
    for (const int fd : poller_.wait()) {
      if (fd == worker_.stop) return false;
      if (fd == worker_.source.fd()) {
        take_connections();
      } else if (EchoConnection* connection = connections_.find(fd); connection && *connection) {
        advance(*connection);
      }
    }
    return true;
  }

  void take_connections() {
    for (int taken = 0; taken < kTakesPerTurn; ++taken) {
      Taken socket = worker_.source.take();
      if (!socket) return;
      const int fd = socket->get();
      poller_.add(fd, Interest::read);
      connections_[fd] = EchoConnection(std::move(*socket));
      ++worker_.stats.accepted;
    }
    poller_.modify(worker_.source.fd(), Interest::read);  // there may be more, and no new edge
  }

  void advance(EchoConnection& connection) {
    const Interest waited_for = connection.interest();
    switch (connection.advance(scratch_, poller_.trigger(), worker_.stats)) {
      case Next::read:
        if (waited_for != Interest::read) poller_.modify(connection.fd(), Interest::read);
        break;
      case Next::write:
        if (waited_for != Interest::write) poller_.modify(connection.fd(), Interest::write);
        break;
      case Next::again:
        poller_.modify(connection.fd(), Interest::read);
        break;
      case Next::over:
        close(connection);
        break;
    }
  }

  void close(EchoConnection& connection) {
    poller_.remove(connection.fd());
    connection = EchoConnection();
    ++worker_.stats.closed;
  }

  Poller& poller_;
  Worker& worker_;
  FdMap<EchoConnection> connections_;
  std::array<std::byte, kBufferSize> scratch_;  ///< stays in the cache: every connection uses it
};

}  // namespace

void run_reactor(Poller& poller, Worker& worker) { Reactor(poller, worker).run(); }

bool reports_readable(Poller& poller) {
  const UniqueFd readable(checked(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));
  poller.add(readable.get(), Interest::read);
  const bool reported = std::ranges::count(poller.wait(), readable.get()) > 0;
  poller.remove(readable.get());
  return reported;
}

}  // namespace muxlab
