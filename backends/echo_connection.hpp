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

/// What a connection needs next.
enum class Next : std::uint8_t {
  read,   ///< to be told when there is something to receive
  write,  ///< to be told when there is room to send
  yield,  ///< it yielded with data left: re-arm for interest(), because no new edge will come
  over,   ///< to be closed: end of stream or an error, which look alike from here
};

/// A socket and what could not be sent back on it yet.
///
/// It alternates strictly: nothing is received before all that was received is sent. So it waits
/// for one thing at a time, holds at most one buffer, pushes back on a client that does not read,
/// and has nothing pending when the stream ends. While it is idle it holds no buffer at all.
class EchoConnection {
 public:
  EchoConnection() = default;  ///< none
  explicit EchoConnection(UniqueFd socket) : socket_(std::move(socket)) {}

  explicit operator bool() const { return static_cast<bool>(socket_); }
  [[nodiscard]] int fd() const { return socket_.get(); }

  /// What it waits for now.
  [[nodiscard]] Interest interest() const {
    return tail_ || cut_short_ ? Interest::write : Interest::read;
  }

  /// Moves what can be moved without waiting; `scratch` is the thread's receive buffer.
  /// Level-triggered it ends after one receive; edge-triggered it goes on until the socket has no
  /// more, or `yield` after kReceivesPerTurn of them, for the sake of the other connections.
  Next advance(std::span<std::byte> scratch, Trigger trigger, WorkerStats& stats);

  /// The server stops. From now on advance(), to be called next, sends back what has come, ends
  /// this side of the stream, and takes in without an echo until the client has ended its side: a
  /// socket closed with something unread would be reset, and the echo on its way to the client
  /// lost.
  void begin_drain() { stage_ = Stage::draining; }

  /// Call when the descriptor was closed without this object: forgets it, and closes nothing,
  /// because the number may belong to another socket by now.
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
  /// A turn of draining ended early, maybe with nothing left to receive: what still brings the next
  /// turn is that there is room to send.
  bool cut_short_ = false;
  std::uint32_t tail_begin_ = 0;
  std::uint32_t tail_end_ = 0;
  std::unique_ptr<std::byte[]> tail_;  ///< received, not sent; empty most of the time
};

}  // namespace muxlab
