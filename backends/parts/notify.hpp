#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace muxlab {

/// Makes an eventfd(2), or the reading end of a pipe, readable. A full one is readable already.
/// Thread: any.
inline void notify(int fd) {
  constexpr std::uint64_t kOne = 1;  // an eventfd takes exactly these eight bytes, a pipe any
  while (::write(fd, &kOne, sizeof kOne) < 0 && errno == EINTR) {
  }
}

}  // namespace muxlab
