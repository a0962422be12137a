#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace muxlab {

/// How connections reach the threads that serve them.
enum class Threading : std::uint8_t {
  single,     ///< one thread, one listener
  reuseport,  ///< each thread has its own SO_REUSEPORT listener; the kernel spreads connections
  acceptor,   ///< one thread accepts and hands out round robin, through a queue per thread
};

/// What wakes a thread whose hand-off queue got its first connection.
enum class Notify : std::uint8_t { eventfd, pipe };

/// What `muxlab serve` was asked for.
struct ServeOptions {
  std::uint64_t threads = 1;
  Threading threading = Threading::single;
  Notify notify = Notify::eventfd;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;                ///< 0: the kernel picks a free one
  std::optional<std::string> unix_path;  ///< instead of host and port
};

}  // namespace muxlab
