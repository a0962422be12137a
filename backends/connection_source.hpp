#pragma once

#include <optional>

#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// How many connections a loop takes before it looks at the ones it has.
inline constexpr int kTakesPerTurn = 256;

/// A connected, non-blocking, close-on-exec socket; or nothing now.
using Taken = std::optional<UniqueFd>;

/// Where one thread's connections come from: a listening socket, or the receiving end of a hand-off
/// queue. Used by that thread alone.
///
/// It is a descriptor to wait for like any other, which is why no backend knows the threading
/// model.
class ConnectionSource {
 public:
  ConnectionSource() = default;
  ConnectionSource(const ConnectionSource&) = delete;
  ConnectionSource& operator=(const ConnectionSource&) = delete;
  virtual ~ConnectionSource() = default;

  /// What to wait for: readable when take() may have something. Only take() changes it, to a timer
  /// and back, for as long as accepting has to pause: a listener that stays readable though nothing
  /// can be accepted would have its thread spin.
  [[nodiscard]] virtual int fd() const = 0;

  /// The next connection. Whoever waits edge-triggered calls this until there is nothing: only then
  /// is a new edge certain. Throws std::system_error when the source itself is broken.
  virtual Taken take() = 0;

  /// The listening socket, for whoever has the kernel accept without being asked each time: a
  /// multishot accept of io_uring. Only while it is fd() too; -1 where connections come otherwise.
  [[nodiscard]] virtual int listener() const { return -1; }

  /// Instead of take(), with what such an accept from listener() resulted in: a socket, which it
  /// owns from then on, or a negative errno. The connection to serve; or nothing, and take() may
  /// give this one later. Throws std::system_error when the source itself is broken.
  virtual Taken accept_result(int /*result*/) { return {}; }

  /// A connection that take() or accept_result() gave is closed: its place is free again.
  virtual void give_back() = 0;

  /// No more connections: whoever comes from now on is turned away by the kernel.
  virtual void close() = 0;
};

}  // namespace muxlab
