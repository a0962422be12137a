#pragma once

#include <string>
#include <utility>

#include "backends/parts/unique_fd.hpp"
#include "backends/poller.hpp"

namespace muxlab::exercise {

/// An echo server's loop, with one connection. It receives only when all that it received is sent.
class Echo {
 public:
  Echo(Poller& poller, UniqueFd socket) : poller_(poller), socket_(std::move(socket)) {
    poller_.add(socket_.get(), Interest::read);
  }

  /// Waits once and does what can be done.
  void turn();

 private:
  /// Receives once, and sends it back as far as there is room. False when there is nothing (more).
  bool receive();
  /// Sends what waits, as far as there is room.
  void flush();

  Poller& poller_;
  UniqueFd socket_;
  std::string tail_;  ///< received and not sent yet
  Interest interest_ = Interest::read;
};

}  // namespace muxlab::exercise
