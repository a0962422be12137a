#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "bench/load_connections.hpp"

namespace muxlab {

/// How the client waits for its connections.
enum class LoadEngine : std::uint8_t {
  any,  ///< the one that costs less where it works
  epoll,
  io_uring,
};

inline constexpr std::array<std::string_view, 3> kLoadEngineNames = {"auto", "epoll", "io-uring"};

inline std::string_view engine_name(LoadEngine engine) {
  return kLoadEngineNames[static_cast<std::size_t>(engine)];
}

/// One that works on this machine, and is never `any`. Throws Failure (unavailable) with the reason
/// when the one that was asked for does not.
LoadEngine available_engine(LoadEngine asked);

/// To be called on the thread that is to use them. `largest_receive`: bytes that are expected at
/// once on a connection. Throws std::system_error.
std::unique_ptr<LoadConnections> make_connections(LoadEngine engine, const Pattern& pattern,
                                                  const LoadShare& share,
                                                  std::uint64_t largest_receive);

}  // namespace muxlab
