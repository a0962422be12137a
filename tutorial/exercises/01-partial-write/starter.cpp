#include <sys/socket.h>

#include <cerrno>

#include "tutorial/exercises/01-partial-write/outbox.hpp"

namespace muxlab::exercise {

bool Outbox::send(int fd, std::string_view data) {
  waiting_ += data;
  return flush(fd);
}

bool Outbox::flush(int fd) {
  if (waiting_.empty()) return true;
  const ssize_t sent = ::send(fd, waiting_.data(), waiting_.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  waiting_.clear();
  return true;
}

}  // namespace muxlab::exercise
