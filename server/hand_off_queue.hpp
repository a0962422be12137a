#pragma once

#include <deque>
#include <mutex>

#include "backends/connection_source.hpp"
#include "backends/serve_options.hpp"
#include "server/admission.hpp"

namespace muxlab {

/// Connections on their way from the accepting thread to the one that serves them, as in memcached:
/// a locked queue, and a descriptor that wakes the receiver.
///
/// The descriptor is readable from the moment the queue stops being empty until the receiver finds
/// it empty. So only the first connection of a burst costs a write(2), the descriptor needs no room
/// for more than one, and a full pipe can neither block the sender nor lose a connection.
class HandOffQueue final : public ConnectionSource {
 public:
  /// The caller keeps `admission` alive. Throws std::system_error.
  HandOffQueue(Notify notify, Admission& admission);

  /// Hands a connection over; called by the accepting thread.
  void push(UniqueFd socket);

  [[nodiscard]] int fd() const override { return receiver_.get(); }
  Taken take() override;
  void give_back() override { admission_.leave(); }
  void close() override {}  ///< whoever accepts has stopped before

 private:
  void clear();

  Admission& admission_;
  UniqueFd receiver_;  ///< an eventfd, or the end of a pipe that is read
  UniqueFd sender_;    ///< the end that is written; empty for an eventfd, which has one end
  std::mutex mutex_;
  std::deque<UniqueFd> waiting_;
};

}  // namespace muxlab
