#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "backends/backend.hpp"
#include "backends/buffer_ring.hpp"
#include "backends/unique_fd.hpp"

namespace muxlab {

/// What one receive may bring, and how much a multishot one may have brought before it ends and has
/// to be asked for again. Together they bound what is held for a client that does not read.
inline constexpr std::size_t kReceiveSize = std::size_t{12} * 1024;
inline constexpr std::size_t kReceiveLimit = kBufferSize - kReceiveSize;

/// What was received into one buffer of the ring, and still has to be sent.
struct Piece {
  BufferRing::Id buffer;
  std::uint32_t begin;
  std::uint32_t end;
};

/// What is known of a buffer that waits in a queue.
struct Link {
  std::int32_t next;  ///< the buffer behind it; -1 for none
  std::uint32_t end;
};

/// First in, first out, through the links of the buffers, which the loop has.
struct PieceQueue {
  std::int32_t first = -1;
  std::int32_t last = -1;
};

/// A connection of the completion loop.
struct RingClient {
  UniqueFd socket;
  bool receiving = false;      ///< the kernel has a receive of it
  bool sending = false;        ///< the kernel has a send of it
  bool quiet = false;          ///< which is only told of when it fails
  bool has_piece = false;      ///< of a buffer that is ours until it is sent
  bool starved = false;        ///< to receive again once there are buffers
  bool ended = false;          ///< the client sends no more: over as soon as all is sent
  bool ended_sending = false;  ///< and so do we: what still comes is not echoed
  bool closing = false;        ///< over as soon as the kernel has let go of it
  std::uint32_t tail_begin = 0;
  std::uint32_t tail_end = 0;
  std::unique_ptr<std::byte[]> tail;  ///< what found no room in the socket; sent before `waiting`
  Piece piece{};                      ///< being sent
  PieceQueue waiting;                 ///< what came meanwhile

  explicit operator bool() const { return static_cast<bool>(socket); }
};

}  // namespace muxlab
