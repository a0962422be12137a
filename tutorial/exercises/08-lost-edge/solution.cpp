#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/08-lost-edge/receiver.hpp"

namespace muxlab::exercise {

void Receiver::turn() {
  for (const int fd : poller_.wait()) {
    if (fd == socket_.get()) receive();
  }
}

void Receiver::receive() {
  std::array<char, 4096> buffer{};
  // An edge says that something came, not how much, and nothing more comes of it: the rest has to
  // be taken now, until the socket says that there is no more.
  while (!ended_) {
    const ssize_t received = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EAGAIN) return;
    checked(static_cast<int>(received), "recv");
    if (received == 0) ended_ = true;
    received_.append(buffer.data(), static_cast<std::size_t>(received));
  }
}

}  // namespace muxlab::exercise
