#pragma once

#include <utility>
#include <vector>

#include "backends/parts/unique_fd.hpp"
#include "backends/poller.hpp"

namespace muxlab::exercise {

/// Accepts whoever connects. The listener is non-blocking and the poller edge-triggered.
class Door {
 public:
  Door(Poller& poller, UniqueFd listener) : poller_(poller), listener_(std::move(listener)) {
    poller_.add(listener_.get(), Interest::read);
  }

  /// Waits once and accepts.
  void turn();

  [[nodiscard]] const std::vector<UniqueFd>& accepted() const { return accepted_; }

 private:
  void accept();

  Poller& poller_;
  UniqueFd listener_;
  std::vector<UniqueFd> accepted_;
};

}  // namespace muxlab::exercise
