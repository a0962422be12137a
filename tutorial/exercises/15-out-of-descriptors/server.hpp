#pragma once

#include <map>
#include <utility>

#include "backends/parts/unique_fd.hpp"
#include "backends/poller.hpp"

namespace muxlab::exercise {

/// Accepts clients and keeps each until it leaves. When there is no descriptor left, whoever comes
/// waits in the kernel's backlog until another has left.
class Server {
 public:
  Server(Poller& poller, UniqueFd listener) : poller_(poller), listener_(std::move(listener)) {
    poller_.add(listener_.get(), Interest::read);
  }

  /// Waits once, level-triggered, and handles what is ready.
  void turn();

  [[nodiscard]] std::size_t open() const { return clients_.size(); }

 private:
  void accept();
  void receive(int fd);

  Poller& poller_;
  UniqueFd listener_;
  std::map<int, UniqueFd> clients_;
  [[maybe_unused]] bool accepting_ = true;  ///< what you may need
};

}  // namespace muxlab::exercise
