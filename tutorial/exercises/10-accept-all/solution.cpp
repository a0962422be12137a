#include <sys/socket.h>

#include <cerrno>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/10-accept-all/door.hpp"

namespace muxlab::exercise {

void Door::turn() {
  for (const int fd : poller_.wait()) {
    if (fd == listener_.get()) accept();
  }
}

void Door::accept() {
  constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  // One edge may stand for many connections: those that came while nobody waited, and those that
  // came since. The listener has to be non-blocking for that, and its EAGAIN is the way out.
  for (;;) {
    const int client = ::accept4(listener_.get(), nullptr, nullptr, kFlags);
    if (client >= 0) {
      accepted_.emplace_back(client);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != ECONNABORTED &&
               errno != EINTR) {  // a client that has left again is no reason
      throw_errno("accept4");
    }
  }
}

}  // namespace muxlab::exercise
