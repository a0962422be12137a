#include "bench/process_processors.hpp"

#include <sched.h>

#include <algorithm>

#include "backends/failure.hpp"

namespace muxlab {

std::vector<int> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  checked(::sched_getaffinity(0, sizeof(set), &set), "sched_getaffinity");
  std::vector<int> allowed;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(static_cast<std::size_t>(processor), &set)) allowed.push_back(processor);
  }
  return allowed;
}

Processors share_processors(std::span<const int> allowed, std::uint64_t server_threads) {
  if (allowed.size() < 2) {
    const std::vector<int> only(allowed.begin(), allowed.end());
    return {only, only};
  }
  const std::size_t servers = std::min<std::size_t>(server_threads, allowed.size() - 1);
  const std::span<const int> server = allowed.first(servers);
  const std::span<const int> client = allowed.subspan(servers);
  return {{server.begin(), server.end()}, {client.begin(), client.end()}};
}

}  // namespace muxlab
