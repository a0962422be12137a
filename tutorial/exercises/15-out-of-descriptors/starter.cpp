#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "tutorial/exercises/15-out-of-descriptors/server.hpp"

namespace muxlab::exercise {

void Server::turn() {
  for (const int fd : poller_.wait()) {
    if (fd == listener_.get()) {
      accept();
    } else {
      receive(fd);
    }
  }
}

void Server::accept() {
  UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client) return;
  const int fd = client.get();
  clients_[fd] = std::move(client);
  poller_.add(fd, Interest::read);
}

void Server::receive(int fd) {
  std::array<char, 4096> buffer{};
  const ssize_t received = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (received > 0 || (received < 0 && errno == EAGAIN)) return;
  poller_.remove(fd);
  clients_.erase(fd);
}

}  // namespace muxlab::exercise
