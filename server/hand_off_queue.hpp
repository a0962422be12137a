#pragma once

#include <deque>
#include <mutex>

#include "backends/connection_source.hpp"
#include "backends/serve_options.hpp"
#include "server/admission.hpp"

namespace muxlab {

/// Hands connections from the accepting thread to the serving thread, as in memcached: a locked
/// queue, and a descriptor that wakes the receiver.
///
/// The descriptor is readable from the first push into an empty queue until take() finds the queue
/// empty. Only the first connection of a burst costs a write(2). A full pipe neither blocks the
/// sender nor loses a connection: it is non-blocking and readable already.
class HandOffQueue final : public ConnectionSource {
 public:
  /// Requires: the caller keeps `admission` alive. Throws std::system_error.
  HandOffQueue(Notify notify, Admission& admission);

  /// Hands a connection over. Thread: the accepting thread.
  void push(UniqueFd socket);

  [[nodiscard]] int fd() const override { return receiver_.get(); }
  Taken take() override;
  void give_back() override { admission_.leave(); }
  void close() override {}  ///< the accepting thread has stopped before

 private:
  void clear();

  Admission& admission_;
  UniqueFd receiver_;  ///< an eventfd, or the read end of a pipe
  UniqueFd sender_;    ///< the write end of the pipe; empty for an eventfd
  std::mutex mutex_;
  std::deque<UniqueFd> waiting_;
};

}  // namespace muxlab
