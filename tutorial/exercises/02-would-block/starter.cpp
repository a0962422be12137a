#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "tutorial/exercises/02-would-block/receive.hpp"

namespace muxlab::exercise {

Received receive(int fd, std::string& into) {
  std::array<char, 4096> buffer{};
  const ssize_t received = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (received < 0) return Received::broken;
  if (received == 0) return Received::nothing_yet;
  into.append(buffer.data(), static_cast<std::size_t>(received));
  return Received::data;
}

}  // namespace muxlab::exercise
