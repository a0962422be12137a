#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "tutorial/exercises/02-would-block/receive.hpp"

namespace muxlab::exercise {

Received receive(int fd, std::string& into) {
  std::array<char, 4096> buffer{};
  const ssize_t received = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (received < 0) {
    // EAGAIN is no error: it is how a socket that never sleeps says "not now". EINTR: a signal came
    // in between, and the call is made again when the loop comes back to it.
    const bool not_now = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return not_now ? Received::nothing_yet : Received::broken;
  }
  if (received == 0) return Received::end;  // zero bytes are never "nothing yet"
  into.append(buffer.data(), static_cast<std::size_t>(received));
  return Received::data;
}

}  // namespace muxlab::exercise
