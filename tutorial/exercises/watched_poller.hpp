#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "backends/parts/unique_fd.hpp"
#include "backends/poller.hpp"
#include "tutorial/exercises/checking.hpp"

namespace muxlab::exercise {

/// A Poller of the suite whose wait() never sleeps: where the other would, it returns nothing, and
/// slept() tells. So a check can run a loop turn by turn on its own thread, and neither hangs nor
/// depends on time.
///
/// It watches one descriptor more, which is readable for good and which nobody else gets to see.
class WatchedPoller final : public OneShotPoller {
 public:
  /// `backend`: which of the suite's: "epoll-lt", "epoll-et", "poll" ...
  explicit WatchedPoller(std::string_view backend);
  explicit WatchedPoller(std::unique_ptr<Poller> inner);

  [[nodiscard]] Trigger trigger() const override { return inner_->trigger(); }
  void add(int fd, Interest interest) override { inner_->add(fd, interest); }
  void modify(int fd, Interest interest) override { inner_->modify(fd, interest); }
  void remove(int fd) override { inner_->remove(fd); }
  /// These two are for a poller of the suite.
  void add_once(int fd, Interest interest) override { one_shot_->add_once(fd, interest); }
  void rearm(int fd, Interest interest) override { one_shot_->rearm(fd, interest); }
  using Poller::wait;
  std::span<const int> wait(int timeout_ms) override;

  /// The last wait() had nothing to report.
  [[nodiscard]] bool slept() const { return ready_.empty(); }

 private:
  std::unique_ptr<Poller> inner_;
  OneShotPoller* one_shot_ = nullptr;  ///< the same one
  UniqueFd bell_;
  std::vector<int> ready_;
};

/// Calls `turn`, which waits once, until there is nothing left to do.
template <typename Turn>
void run_until_asleep(const WatchedPoller& poller, Turn turn) {
  constexpr int kMoreThanEnough = 1000;
  for (int turns = 0; turns < kMoreThanEnough; ++turns) {
    turn();
    if (poller.slept()) return;
  }
  throw Wrong{.expected = "the loop sleeps when there is nothing left to do",
              .happened = "it is awake after 1000 turns: a busy loop"};
}

}  // namespace muxlab::exercise
