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
  const int client = ::accept4(listener_.get(), nullptr, nullptr, kFlags);
  accepted_.emplace_back(checked(client, "accept4"));
}

}  // namespace muxlab::exercise
