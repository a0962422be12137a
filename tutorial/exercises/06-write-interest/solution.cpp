#include <sys/socket.h>

#include <array>

#include "tutorial/exercises/06-write-interest/echo.hpp"

namespace muxlab::exercise {

void Echo::turn() {
  for (const int fd : poller_.wait()) {
    if (fd != socket_.get()) continue;
    flush();
    if (tail_.empty()) receive();
    // A socket has room to send nearly always: whoever asks for it without having something to
    // send is woken for nothing, again and again. So the interest follows the tail, both ways.
    const Interest wanted = tail_.empty() ? Interest::read : Interest::write;
    if (wanted != interest_) {
      interest_ = wanted;
      poller_.modify(fd, interest_);
    }
  }
}

bool Echo::receive() {
  std::array<char, 4096> buffer{};
  const ssize_t received = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (received <= 0) return false;
  tail_.assign(buffer.data(), static_cast<std::size_t>(received));
  flush();
  return true;
}

void Echo::flush() {
  if (tail_.empty()) return;
  const ssize_t sent = ::send(socket_.get(), tail_.data(), tail_.size(), MSG_NOSIGNAL);
  if (sent > 0) tail_.erase(0, static_cast<std::size_t>(sent));
}

}  // namespace muxlab::exercise
