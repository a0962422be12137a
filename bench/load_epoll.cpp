#include "bench/load_epoll.hpp"

#include <sys/socket.h>
#include <time.h>

#include <cerrno>

#include "backends/failure.hpp"
#include "bench/load_oracle.hpp"

namespace muxlab {

EpollConnections::EpollConnections(const Pattern& pattern, const LoadShare& share)
    : LoadConnections(pattern, share),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      found_{},
      events_{},
      scratch_(std::make_unique_for_overwrite<std::byte[]>(kLongestRun)) {}

void EpollConnections::begin(LoadConnection& connection) {
  connection.is_sending = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = index_of(connection);
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event), "epoll_ctl");
}

std::span<const LoadEvent> EpollConnections::wait(std::int64_t timeout_ns) {
  const timespec timeout{.tv_sec = timeout_ns / 1'000'000'000,
                         .tv_nsec = timeout_ns % 1'000'000'000};
  // epoll_pwait2(2), for milliseconds are too coarse for the gaps of an open loop: since
  // Linux 5.11.
  const int count = ::epoll_pwait2(epoll_.get(), found_.data(), static_cast<int>(found_.size()),
                                   timeout_ns == kForever ? nullptr : &timeout, nullptr);
  if (count < 0 && errno != EINTR) throw_errno("epoll_pwait2");
  const auto size = static_cast<std::size_t>(count < 0 ? 0 : count);
  for (std::size_t i = 0; i < size; ++i) {
    events_[i] = {.id = found_[i].data.u64, .flags = found_[i].events};
  }
  return {events_.data(), size};
}

Came EpollConnections::advance(LoadConnection& connection, const LoadEvent& event) {
  Came came = Came::nothing;
  if ((event.flags & ~EPOLLOUT) != 0) came = receive(connection);
  if (connection.fd && (event.flags & EPOLLOUT) != 0) send_what_fits(connection);
  return came;
}

Came EpollConnections::receive(LoadConnection& connection) {
  const ssize_t count = ::recv(connection.fd.get(), scratch_.get(), kLongestRun, 0);
  if (count > 0) return take_in(connection, {scratch_.get(), static_cast<std::size_t>(count)});
  if (count == 0) return take_end(connection);
  if (!is_momentary(errno)) fail_with_errno(connection, errno);
  return Came::nothing;
}

void EpollConnections::flush(LoadConnection& connection) {
  if (!connection.is_sending) send_what_fits(connection);
}

void EpollConnections::send_what_fits(LoadConnection& connection) {
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
    tally().bytes_sent += size;
    if (size < run.size()) break;  // the socket is full: another send() would only hear EAGAIN
    if (teller_ != nullptr && stream.unsent() == 0) teller_->tell(connection.fd.get());
  }
  await_writable(connection, stream.unsent() > 0);
}

void EpollConnections::await_writable(LoadConnection& connection, bool awaits) {
  if (connection.is_sending == awaits) return;
  connection.is_sending = awaits;
  epoll_event event{};
  event.events = awaits ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = index_of(connection);
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event), "epoll_ctl");
}

void EpollConnections::watch(int fd, std::uint64_t id) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void EpollConnections::unwatch(int fd, std::uint64_t) {
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");
}

}  // namespace muxlab
