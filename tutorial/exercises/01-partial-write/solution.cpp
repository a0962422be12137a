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
  // What was taken is sent, and nothing else: on a non-blocking socket that may be any part of it.
  waiting_.erase(0, static_cast<std::size_t>(sent));
  return true;
}

}  // namespace muxlab::exercise
