#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "backends/counting/worker_stats.hpp"
#include "backends/parts/unique_fd.hpp"
#include "backends/poller.hpp"

namespace muxlab {

/// What the caller must do next with a connection.
enum class Next : std::uint8_t {
  read,   ///< wait until there is something to receive
  write,  ///< wait until there is room to send
  yield,  ///< data may be left: re-arm for interest(), because no new edge will come
  over,   ///< close it: end of stream or an error, which are not distinguished
};

/// A socket and the received bytes that it could not send back yet.
///
/// It receives only after it has sent everything that it received. So it waits for one event at a
/// time, holds at most one buffer, exerts backpressure on a client that does not read, and has
/// nothing pending at end of stream. While idle it holds no buffer.
class EchoConnection {
 public:
  EchoConnection() = default;  ///< no connection
  explicit EchoConnection(UniqueFd socket) : socket_(std::move(socket)) {}

  explicit operator bool() const { return static_cast<bool>(socket_); }
  [[nodiscard]] int fd() const { return socket_.get(); }

  /// Returns the event that it waits for now.
  [[nodiscard]] Interest interest() const {
    return tail_ || cut_short_ ? Interest::write : Interest::read;
  }

  /// Receives and sends without blocking; `scratch` is the thread's receive buffer. Level-triggered
  /// it returns after one receive. Edge-triggered or draining it continues until the socket would
  /// block, or returns `yield` after kReceivesPerTurn receives, so that other connections get their
  /// turn.
  Next advance(std::span<std::byte> scratch, Trigger trigger, WorkerStats& stats);

  /// Begins to drain; call advance() next. advance() then echoes the bytes already in the socket,
  /// half-closes it, and discards further input until the client closes its side. Closing a socket
  /// with unread bytes would reset it, and the client would lose the echo that is on its way.
  void begin_drain() { stage_ = Stage::draining; }

  /// Forgets a descriptor that was closed without this object. Closes nothing, because the number
  /// may already belong to another socket.
  void abandon() {
    static_cast<void>(socket_.release());
    *this = EchoConnection();
  }

  static constexpr int kReceivesPerTurn = 16;

 private:
  enum class Stage : std::uint8_t { serving, draining, ended_sending };

  Next nothing_to_receive();
  Next echo(std::span<const std::byte> received, WorkerStats& stats);
  Next flush(WorkerStats& stats);

  UniqueFd socket_;
  Stage stage_ = Stage::serving;
  /// Draining stopped after kReceivesPerTurn. It waits for room to send, because there may be
  /// nothing left to receive, and so gets its next turn.
  bool cut_short_ = false;
  std::uint32_t tail_begin_ = 0;
  std::uint32_t tail_end_ = 0;
  std::unique_ptr<std::byte[]> tail_;  ///< received, not sent; usually empty
};

}  // namespace muxlab
