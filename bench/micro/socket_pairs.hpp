#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "backends/failure.hpp"
#include "backends/unique_fd.hpp"

namespace muxlab {

/// Two connected unix sockets: what is written to `far` is to be waited for on `near`.
struct SocketPair {
  UniqueFd near;
  UniqueFd far;
};

/// Pairs that all benchmarks share, for ten thousand take longer to make than to measure.
class SocketPairs {
 public:
  /// The first `count`, made where there are fewer. Throws std::system_error.
  std::span<const SocketPair> first(std::size_t count) {
    while (pairs_.size() < count) {
      std::array<int, 2> ends{};
      checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
              "socketpair");
      pairs_.push_back({UniqueFd(ends[0]), UniqueFd(ends[1])});
    }
    return std::span(pairs_).first(count);
  }

 private:
  std::vector<SocketPair> pairs_;
};

}  // namespace muxlab
