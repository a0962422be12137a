#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.hpp"

namespace muxlab {

/// Whether a message came back from a real server.
struct LiveEcho {
  bool passed = false;
  std::string reason;  ///< why not
};

/// Has a server of each of `backends` echo a message over loopback, all at once, each in a process
/// of its own: what aborts or hangs is reported, and harms nobody. All have ended and are reaped on
/// return, killed if need be after `patience`. To be called while this process has one thread.
std::vector<LiveEcho> try_live_echoes(std::span<const Backend* const> backends,
                                      std::chrono::milliseconds patience);

}  // namespace muxlab
