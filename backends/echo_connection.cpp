#include "backends/echo_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace muxlab {
namespace {

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

/// Retries at once if interrupted: there is still room, so no new edge would report it.
ssize_t send_now(int fd, const std::byte* data, std::size_t size) {
  ssize_t sent = 0;
  do {
    sent = ::send(fd, data, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

Next EchoConnection::advance(std::span<std::byte> scratch, Trigger trigger, WorkerStats& stats) {
  const bool serving = stage_ == Stage::serving;
  cut_short_ = false;
  if (tail_) {
    const Next next = flush(stats);
    if (serving || next != Next::read) return next;
  }
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const ssize_t received = ::recv(fd(), scratch.data(), scratch.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return would_block(errno) ? nothing_to_receive() : Next::over;
    if (received == 0) return Next::over;
    if (stage_ == Stage::ended_sending) continue;

    const auto size = static_cast<std::size_t>(received);
    const Next next = echo(scratch.first(size), stats);
    if (next != Next::read) return next;
    // A receive that does not fill the buffer drains a stream socket: no second recv() for EAGAIN.
    // (An urgent byte also ends a receive early; an edge-triggered poller reports it twice then.)
    if (serving && (size < scratch.size() || trigger == Trigger::level)) return next;
  }
  cut_short_ = stage_ == Stage::draining;
  return Next::yield;
}

Next EchoConnection::nothing_to_receive() {
  if (stage_ == Stage::draining) {
    ::shutdown(fd(), SHUT_WR);
    stage_ = Stage::ended_sending;
  }
  return Next::read;
}

Next EchoConnection::echo(std::span<const std::byte> received, WorkerStats& stats) {
  stats.bytes_in.add(received.size());
  ssize_t sent = send_now(fd(), received.data(), received.size());
  if (sent < 0) {
    if (!would_block(errno)) return Next::over;
    sent = 0;
  }
  stats.bytes_out.add(static_cast<std::uint64_t>(sent));
  const auto rest = received.subspan(static_cast<std::size_t>(sent));
  if (rest.empty()) {
    ++stats.echoes;
    return Next::read;
  }
  tail_.reset(new (std::nothrow) std::byte[rest.size()]);
  if (!tail_) return Next::over;  // a lost connection is better than a lost server
  std::ranges::copy(rest, tail_.get());
  tail_begin_ = 0;
  tail_end_ = static_cast<std::uint32_t>(rest.size());
  return Next::write;
}

Next EchoConnection::flush(WorkerStats& stats) {
  const ssize_t sent = send_now(fd(), tail_.get() + tail_begin_, tail_end_ - tail_begin_);
  if (sent < 0) return would_block(errno) ? Next::write : Next::over;
  stats.bytes_out.add(static_cast<std::uint64_t>(sent));
  tail_begin_ += static_cast<std::uint32_t>(sent);
  if (tail_begin_ < tail_end_) return Next::write;
  tail_.reset();
  ++stats.echoes;
  return Next::read;  // re-arming reports input that is already there, even edge-triggered
}

}  // namespace muxlab
