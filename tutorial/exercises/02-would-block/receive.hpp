#pragma once

#include <cstdint>
#include <string>

namespace muxlab::exercise {

enum class Received : std::uint8_t {
  data,         ///< something came
  nothing_yet,  ///< the connection is fine and silent
  end,          ///< the peer will send no more
  broken,       ///< an error: nothing more will come, or go
};

/// One recv(2) from a non-blocking socket: appends what came to `into`, and tells what it was.
Received receive(int fd, std::string& into);

}  // namespace muxlab::exercise
