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
  if (!client) {
    // The connection stays in the backlog, and so the listener stays readable: to go on waiting for
    // it is to be woken at once, for ever, though nothing can be done.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      poller_.remove(listener_.get());
      accepting_ = false;
    }
    return;
  }
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
  if (accepting_) return;
  // There is a descriptor again. (Another part of a program may free one too, without a word: a
  // server that is not alone in its process tries again after a while, with a timer.)
  accepting_ = true;
  poller_.add(listener_.get(), Interest::read);
}

}  // namespace muxlab::exercise
