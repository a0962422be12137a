#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace muxlab {

/// Which processors server and load run on.
struct Processors {
  std::vector<int> server;
  std::vector<int> client;

  bool operator==(const Processors&) const = default;
};

/// The processors that this process may run on, in ascending order (sched_getaffinity(2)).
std::vector<int> allowed_processors();

/// Shares `allowed` out: the server gets one per thread but leaves at least one to the client,
/// which has all the others. With a single processor both have to share it.
Processors share_processors(std::span<const int> allowed, std::uint64_t server_threads);

}  // namespace muxlab
