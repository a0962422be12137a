#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.hpp"

namespace muxlab {

/// Whether a real server echoed a message.
struct LiveEcho {
  bool passed = false;
  std::string reason;  ///< of a failure
};

/// Tries an echo over loopback on each of `backends`, in parallel, each in a child process. Reports
/// a child that aborts or hangs as a failure. Kills children that run longer than `patience` and
/// reaps all of them. Requires a process with one thread, because it forks.
std::vector<LiveEcho> try_live_echoes(std::span<const Backend* const> backends,
                                      std::chrono::milliseconds patience);

}  // namespace muxlab
