#pragma once

#include <chrono>
#include <deque>

#include "backends/connection_source.hpp"
#include "backends/counting/worker_stats.hpp"
#include "backends/parts/timer_fd.hpp"
#include "server/admission.hpp"

namespace muxlab {

/// A listening socket as a source of connections.
///
/// Accepting pauses for kPause when there is no place, descriptor or memory for one more. The
/// connections wait in the kernel's backlog meanwhile, and none is stranded: after the pause the
/// listener is waited for anew, which reports what is there already.
class ListenerSource final : public ConnectionSource {
 public:
  /// Connections that are closed at once are counted as refused in `stats`. The caller keeps both
  /// alive. Throws std::system_error.
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
  std::deque<UniqueFd> early_;  ///< accepted by the kernel on its own before there was a place
  TimerFd timer_;
  Admission& admission_;
  WorkerStats& stats_;
  bool paused_ = false;
};

}  // namespace muxlab
