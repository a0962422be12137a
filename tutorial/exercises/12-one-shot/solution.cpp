#include <sys/socket.h>

#include <array>

#include "tutorial/exercises/12-one-shot/serve.hpp"

namespace muxlab::exercise {

void serve(int fd, OneShotPoller& poller) {
  std::array<char, 4096> buffer{};
  const ssize_t received = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (received > 0) {
    ::send(fd, buffer.data(), static_cast<std::size_t>(received), MSG_NOSIGNAL);
  }
  // The last thing that touches the connection: from here on it may be another worker's.
  poller.rearm(fd, Interest::read);
}

}  // namespace muxlab::exercise
