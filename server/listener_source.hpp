#pragma once

#include "backends/connection_source.hpp"
#include "backends/worker_stats.hpp"

namespace muxlab {

/// A listening socket as a source of connections.
///
/// What is waited for is not the listener but an epoll instance that holds it. When a connection
/// cannot be accepted for want of descriptors or memory, the listener leaves that instance for a
/// moment and a timer takes its place. So accepting pauses for every backend alike, none of which
/// knows: a listener that stays readable would have each of them spin.
class ListenerSource final : public ConnectionSource {
 public:
  /// Sockets above `max_descriptor` are closed at once and counted as refused in `stats`, which the
  /// caller keeps alive. Throws std::system_error.
  ListenerSource(UniqueFd listener, int max_descriptor, WorkerStats& stats);

  [[nodiscard]] int fd() const override { return gate_.get(); }
  Taken take() override;

 private:
  void pause();
  bool paused();

  UniqueFd listener_;
  UniqueFd pause_timer_;
  UniqueFd gate_;
  int max_descriptor_;
  WorkerStats& stats_;
  bool paused_ = false;
};

}  // namespace muxlab
