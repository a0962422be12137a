#include "bench/load_engine.hpp"

#include <fmt/format.h>

#include "backends/backend.hpp"
#include "backends/failure.hpp"
#include "bench/load_epoll.hpp"
#include "bench/load_io_uring.hpp"

namespace muxlab {

LoadEngine available_engine(LoadEngine asked) {
  if (asked == LoadEngine::epoll) return asked;
  // The server's backend of that name needs the same of the kernel.
  const Availability found = find_backend("io-uring")->probe();
  if (found.works) return LoadEngine::io_uring;
  if (asked == LoadEngine::any) return LoadEngine::epoll;
  throw Failure(ExitCode::unavailable, fmt::format("--engine io-uring: {}{}{}", found.reason,
                                                   found.mend.empty() ? "" : "; ", found.mend));
}

std::unique_ptr<LoadConnections> make_connections(LoadEngine engine, const Pattern& pattern,
                                                  const LoadShare& share,
                                                  std::uint64_t largest_receive) {
  if (engine == LoadEngine::epoll) return std::make_unique<EpollConnections>(pattern, share);
  return std::make_unique<IoUringConnections>(pattern, share, largest_receive);
}

}  // namespace muxlab
