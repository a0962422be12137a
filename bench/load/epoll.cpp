#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>

#include "backends/parts/failure.hpp"
#include "bench/load/oracle.hpp"

namespace muxlab {
namespace {

/// Waits for connections with a level-triggered epoll(7) instance.
class EpollConnections final : public LoadConnections {
 public:
  /// Throws std::system_error.
  EpollConnections(const Pattern& pattern, const LoadShare& share)
      : LoadConnections(pattern, share),
        epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        found_{},
        events_{},
        scratch_(std::make_unique_for_overwrite<std::byte[]>(kLongestRun)) {}

  void watch(int fd, std::uint64_t id) override { control(EPOLL_CTL_ADD, fd, EPOLLIN, id); }

  void unwatch(int fd, std::uint64_t) override { control(EPOLL_CTL_DEL, fd, 0, 0); }

  std::span<const LoadEvent> wait(std::int64_t timeout_ns) override {
    const timespec timeout{.tv_sec = timeout_ns / 1'000'000'000,
                           .tv_nsec = timeout_ns % 1'000'000'000};
    // epoll_pwait2(2), since Linux 5.11: the milliseconds of epoll_wait() are too coarse for the
    // gaps of an open loop.
    const int count = ::epoll_pwait2(epoll_.get(), found_.data(), static_cast<int>(found_.size()),
                                     timeout_ns == kForever ? nullptr : &timeout, nullptr);
    if (count < 0 && errno != EINTR) throw_errno("epoll_pwait2");
    const auto size = static_cast<std::size_t>(count < 0 ? 0 : count);
    for (std::size_t i = 0; i < size; ++i) {
      events_[i] = {.id = found_[i].data.u64, .flags = found_[i].events};
    }
    return {events_.data(), size};
  }

  Came advance(LoadConnection& connection, const LoadEvent& event) override {
    Came came = Came::nothing;
    if ((event.flags & ~EPOLLOUT) != 0) came = receive(connection);
    if (connection.fd && (event.flags & EPOLLOUT) != 0) send_what_fits(connection);
    return came;
  }

  void flush(LoadConnection& connection) override {
    if (!connection.is_sending) send_what_fits(connection);
  }

 private:
  void begin(LoadConnection& connection) override {
    connection.is_sending = true;
    control(EPOLL_CTL_ADD, connection.fd.get(), EPOLLIN | EPOLLOUT, index_of(connection));
  }

  Came receive(LoadConnection& connection) {
    const ssize_t count = ::recv(connection.fd.get(), scratch_.get(), kLongestRun, 0);
    if (count > 0) return take_in(connection, {scratch_.get(), static_cast<std::size_t>(count)});
    if (count == 0) return take_end(connection);
    if (!is_momentary(errno)) fail_with_errno(connection, errno);
    return Came::nothing;
  }

  void send_what_fits(LoadConnection& connection) {
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
      if (size < run.size()) break;  // the socket is full: another send() would return EAGAIN
      if (teller_ != nullptr && stream.unsent() == 0) teller_->report(connection.fd.get());
    }
    await_writable(connection, stream.unsent() > 0);
  }

  void await_writable(LoadConnection& connection, bool awaits) {
    if (connection.is_sending == awaits) return;
    connection.is_sending = awaits;
    control(EPOLL_CTL_MOD, connection.fd.get(), awaits ? EPOLLIN | EPOLLOUT : EPOLLIN,
            index_of(connection));
  }

  void control(int operation, int fd, std::uint32_t events, std::uint64_t id) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    checked(::epoll_ctl(epoll_.get(), operation, fd, &event), "epoll_ctl");
  }

  static constexpr std::size_t kEvents = 256;

  UniqueFd epoll_;
  std::array<epoll_event, kEvents> found_;
  std::array<LoadEvent, kEvents> events_;
  std::unique_ptr<std::byte[]> scratch_;
};

}  // namespace

std::unique_ptr<LoadConnections> make_epoll_connections(const Pattern& pattern,
                                                        const LoadShare& share) {
  return std::make_unique<EpollConnections>(pattern, share);
}

}  // namespace muxlab
