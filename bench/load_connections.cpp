#include "bench/load_connections.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "backends/failure.hpp"
#include "bench/load_oracle.hpp"

namespace muxlab {
namespace {

bool is_momentary(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

LoadConnections::LoadConnections(const Pattern& pattern, std::size_t count, std::size_t active,
                                 std::uint64_t first, std::uint64_t stride)
    : pattern_(pattern),
      active_(active),
      first_(first),
      stride_(stride),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      events_{},
      scratch_(std::make_unique_for_overwrite<std::byte[]>(kLongestRun)),
      connections_(count) {
  for (std::size_t i = 0; i < count; ++i) {
    connections_[i].stream = EchoStream(Pattern::start_of(first + i * stride));
  }
}

bool LoadConnections::receive(LoadConnection& connection) {
  const ssize_t count = ::recv(connection.fd.get(), scratch_.get(), kLongestRun, 0);
  if (count < 0) {
    if (!is_momentary(errno)) fail_with_errno(connection, errno);
    return false;
  }
  if (count == 0) {
    fail(connection, LoadError::closed, "closed by the server");
    return false;
  }
  const auto size = static_cast<std::size_t>(count);
  if (!connection.stream.accept(pattern_, {scratch_.get(), size})) {
    fail(connection, LoadError::mismatch, "bytes that are not those sent");
    return false;
  }
  tally_.bytes_received += size;
  return true;
}

void LoadConnections::flush(LoadConnection& connection) {
  EchoStream& stream = connection.stream;
  while (stream.unsent() > 0) {
    const auto run = stream.next_run(pattern_);
    const ssize_t count = ::send(connection.fd.get(), run.data(), run.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (is_momentary(errno)) break;
      fail_with_errno(connection, errno);
      return;
    }
    const auto size = static_cast<std::size_t>(count);
    stream.add_sent(size);
    tally_.bytes_sent += size;
    if (size < run.size()) break;  // the socket is full: another send() would only hear EAGAIN
    if (teller_ != nullptr && stream.unsent() == 0) teller_->tell(connection.fd.get());
  }
  await_writable(connection, stream.unsent() > 0);
}

void LoadConnections::await_writable(LoadConnection& connection, bool awaits) {
  if (connection.awaits_writable == awaits) return;
  connection.awaits_writable = awaits;
  epoll_event event{};
  event.events = awaits ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = index_of(connection);
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event), "epoll_ctl");
}

std::span<const epoll_event> LoadConnections::wait(std::int64_t timeout_ns) {
  const timespec timeout{.tv_sec = timeout_ns / 1'000'000'000,
                         .tv_nsec = timeout_ns % 1'000'000'000};
  // epoll_pwait2(2), for milliseconds are too coarse for the gaps of an open loop: since
  // Linux 5.11.
  const int count = ::epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                   timeout_ns == kForever ? nullptr : &timeout, nullptr);
  if (count < 0 && errno != EINTR) throw_errno("epoll_pwait2");
  return {events_.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
}

void LoadConnections::open(std::size_t index, UniqueFd fd) {
  LoadConnection& connection = connections_[index];
  connection.fd = std::move(fd);
  connection.awaits_writable = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = index;
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event), "epoll_ctl");
}

void LoadConnections::watch(int fd, std::uint64_t id) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void LoadConnections::unwatch(int fd) {
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
}

void LoadConnections::fail_with_errno(LoadConnection& connection, int error) {
  const bool is_connecting = connection.stream.received() + connection.stream.in_flight() == 0;
  const bool is_reset = error == ECONNRESET || error == EPIPE;
  const LoadError kind = is_connecting ? LoadError::connect
                         : is_reset    ? LoadError::reset
                                       : LoadError::system;
  fail(connection, kind, std::generic_category().message(error));
}

void LoadConnections::fail(LoadConnection& connection, LoadError error, std::string_view reason) {
  tally_.errors.add(error);
  if (tally_.first_error.empty()) {
    const std::size_t index = index_of(connection);
    tally_.first_error = fmt::format("{}connection {}: {}", index < active_ ? "" : "idle ",
                                     first_ + index * stride_, reason);
    if (const std::uint64_t received = connection.stream.received(); received > 0) {
      tally_.first_error += fmt::format(" after {} bytes", received);
    }
  }
  close(connection);
}

void LoadConnections::fail_to_open(std::size_t index, std::string_view reason) {
  fail(connections_[index], LoadError::connect, reason);
}

void LoadConnections::close(LoadConnection& connection) {
  tally_.bytes_missing += connection.stream.in_flight();
  connection.fd.reset();
}

void LoadConnections::close_all() {
  for (LoadConnection& connection : connections_) {
    if (connection.fd) close(connection);
  }
}

std::size_t LoadConnections::index_of(const LoadConnection& connection) const {
  return static_cast<std::size_t>(&connection - connections_.data());
}

}  // namespace muxlab
