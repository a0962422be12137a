#pragma once

#include <optional>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// The most connections that a loop takes before it serves its existing ones again.
inline constexpr int kTakesPerTurn = 256;

/// A connected, non-blocking, close-on-exec socket; empty if there is none now.
using Taken = std::optional<UniqueFd>;

/// Supplies the connections of one thread: from a listening socket, or from a hand-off queue. Used
/// by that thread alone.
///
/// A backend waits for its descriptor like for any other, so the same loop serves every threading
/// model.
class ConnectionSource {
 public:
  ConnectionSource() = default;
  ConnectionSource(const ConnectionSource&) = delete;
  ConnectionSource& operator=(const ConnectionSource&) = delete;
  virtual ~ConnectionSource() = default;

  /// The descriptor to wait for: readable when take() may have a connection. take() and
  /// accept_result() change it, to a timer and back, while accepting pauses. Otherwise a listener
  /// that stays readable although it cannot accept would make its thread spin.
  [[nodiscard]] virtual int fd() const = 0;

  /// Returns the next connection. An edge-triggered caller calls it until it returns none, because
  /// only then a new edge is certain. Throws std::system_error if the source itself is broken.
  virtual Taken take() = 0;

  /// Returns the listening socket for a multishot accept of io_uring, or -1 if the source has none.
  /// Use it only while fd() returns it too.
  [[nodiscard]] virtual int listener() const { return -1; }

  /// Call instead of take() with the result of a multishot accept from listener(): a socket, which
  /// the source then owns, or a negative errno. Returns the connection to serve; or none, and
  /// take() may return this one later. Throws std::system_error if the source itself is broken.
  virtual Taken accept_result(int /*result*/) { return {}; }

  /// Frees the place of a closed connection that take() or accept_result() returned.
  virtual void give_back() = 0;

  /// Stops listening. The kernel refuses later connections.
  virtual void close() = 0;
};

}  // namespace muxlab
