#pragma once

#include <chrono>
#include <deque>

#include "backends/connection_source.hpp"
#include "backends/counting/worker_stats.hpp"
#include "backends/parts/timer_fd.hpp"
#include "server/admission.hpp"

namespace muxlab {

/// Takes connections from a listening socket.
///
/// Pauses accepting for kPause when there is no place, descriptor or memory for another connection.
/// The connections wait in the kernel's backlog meanwhile. None is lost: after the pause the
/// backend waits for the listener again, and the kernel reports pending connections.
class ListenerSource final : public ConnectionSource {
 public:
  /// Counts connections that it closes at once as refused in `stats`. Requires: the caller keeps
  /// `admission` and `stats` alive. Throws std::system_error.
  ListenerSource(UniqueFd listener, Admission& admission, WorkerStats& stats);

  [[nodiscard]] int fd() const override { return paused_ ? timer_.fd() : listener_.get(); }
  Taken take() override;
  [[nodiscard]] int listener() const override { return listener_.get(); }
  Taken accept_result(int result) override;
  void give_back() override { admission_.leave(); }
  void close() override;

  static constexpr std::chrono::milliseconds kPause{50};

 private:
  Taken take_early_one();
  bool goes_on_after(int error);
  void pause();
  bool still_paused();

  UniqueFd listener_;
  std::deque<UniqueFd> early_;  ///< multishot accepts that found no place
  TimerFd timer_;
  Admission& admission_;
  WorkerStats& stats_;
  bool paused_ = false;
};

}  // namespace muxlab
