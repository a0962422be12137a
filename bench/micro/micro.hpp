#pragma once

#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"
#include "bench/micro/mechanism.hpp"

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

/// Both register what only the machine can tell: a benchmark per mechanism that it has. The caller
/// keeps the arguments alive until all have run.
///
/// wait/NAME/registered:N/active:A: one turn in which A of N descriptors become ready, wherever
/// they are; in processor time of the thread.
void register_wait_benchmarks(std::span<const Mechanism> mechanisms, SocketPairs& pairs);
/// add_and_remove/NAME/registered:N and modify_and_back/NAME: to change what is waited for.
void register_change_benchmarks(std::span<const Mechanism> mechanisms, SocketPairs& pairs);

/// False, and `state` says why, where `mechanism` cannot take the descriptors of `pairs`.
bool can_wait_for(const Mechanism& mechanism, std::span<const SocketPair> pairs,
                  benchmark::State& state);

}  // namespace muxlab
