#pragma once

#include <string>
#include <string_view>

namespace muxlab::exercise {

/// What a connection still has to send. The socket is non-blocking.
class Outbox {
 public:
  /// Sends `data`, behind what waits already, as far as there is room. False when the connection is
  /// broken.
  bool send(int fd, std::string_view data);

  /// To be called when there is room again: sends what waits, as far as there is room. False when
  /// the connection is broken.
  bool flush(int fd);

  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  std::string waiting_;
};

}  // namespace muxlab::exercise
