#pragma once

#include <string>
#include <utility>

#include "backends/parts/unique_fd.hpp"
#include "backends/poller.hpp"

namespace muxlab::exercise {

/// Takes in what comes on one connection. The poller is edge-triggered.
class Receiver {
 public:
  Receiver(Poller& poller, UniqueFd socket) : poller_(poller), socket_(std::move(socket)) {
    poller_.add(socket_.get(), Interest::read);
  }

  /// Waits once and takes in what it was told of.
  void turn();

  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool ended() const { return ended_; }  ///< the peer has ended the stream

 private:
  void receive();

  Poller& poller_;
  UniqueFd socket_;
  std::string received_;
  bool ended_ = false;
};

}  // namespace muxlab::exercise
