#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "backends/backend.hpp"
#include "backends/parts/failure.hpp"

/// The least code that makes the same system calls: each mechanism as a textbook would use it, with
/// no layer between the wait and the echo. They measure what the reactor adds, and are no servers.
/// They drop a client whose echo cannot be sent at once, receive once per report, know no time-outs
/// and no pauses of accepting, and stop without draining.
namespace muxlab {
namespace {

using Buffer = std::array<char, kBufferSize>;

/// Echoes once. Returns false when the connection is over.
bool echo(int fd, Buffer& buffer, WorkerStats& stats) {
  const ssize_t received = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (received < 0) return errno == EAGAIN;
  if (received == 0) return false;
  const auto size = static_cast<std::size_t>(received);
  if (::send(fd, buffer.data(), size, MSG_NOSIGNAL) != received) return false;
  stats.bytes_in.add(size);
  stats.bytes_out.add(size);
  ++stats.echoes;
  return true;
}

void end(int fd, const Worker& worker) {
  ::close(fd);
  worker.close_done();
}

void serve_select(Worker& worker) {
  fd_set all;
  FD_ZERO(&all);
  const int source = worker.source.fd();
  FD_SET(source, &all);
  FD_SET(worker.stop, &all);
  Buffer buffer;
  for (int highest = std::max(source, worker.stop);;) {
    fd_set ready = all;
    if (::select(highest + 1, &ready, nullptr, nullptr, nullptr) < 0) {
      if (errno == EINTR) continue;
      throw_errno("select");
    }
    if (FD_ISSET(worker.stop, &ready)) break;
    for (int fd = 0; fd <= highest; ++fd) {
      if (!FD_ISSET(fd, &ready)) continue;
      if (fd == source) {
        while (Taken socket = worker.source.take()) {
          const int taken = socket->release();  // FD_SET() evaluates its argument more than once
          highest = std::max(highest, taken);
          FD_SET(taken, &all);
          worker.count_accepted();
        }
      } else if (!echo(fd, buffer, worker.stats)) {
        FD_CLR(fd, &all);
        end(fd, worker);
      }
    }
  }
  for (int fd = 0; fd < FD_SETSIZE; ++fd) {
    if (FD_ISSET(fd, &all) && fd != source && fd != worker.stop) end(fd, worker);
  }
}

void serve_poll(Worker& worker) {
  std::vector<pollfd> polled = {{worker.stop, POLLIN, 0}, {worker.source.fd(), POLLIN, 0}};
  Buffer buffer;
  for (;;) {
    if (::poll(polled.data(), polled.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw_errno("poll");
    }
    if (polled[0].revents != 0) break;
    for (std::size_t i = polled.size() - 1; i > 1; --i) {
      if (polled[i].revents == 0 || echo(polled[i].fd, buffer, worker.stats)) continue;
      end(polled[i].fd, worker);
      polled[i] = polled.back();
      polled.pop_back();
    }
    if (polled[1].revents == 0) continue;
    while (Taken socket = worker.source.take()) {
      polled.push_back({socket->release(), POLLIN, 0});
      worker.count_accepted();
    }
  }
  for (std::size_t i = 2; i < polled.size(); ++i) end(polled[i].fd, worker);
}

void serve_epoll(Worker& worker, std::uint32_t mode) {
  const UniqueFd epoll(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  const auto add = [&](int fd) {
    epoll_event event{.events = EPOLLIN | mode, .data = {.fd = fd}};
    checked(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  };
  const int source = worker.source.fd();
  add(worker.stop);
  add(source);
  std::array<epoll_event, 1024> events;
  std::vector<bool> open;
  Buffer buffer;
  for (bool stopping = false; !stopping;) {
    const int count = ::epoll_wait(epoll.get(), events.data(), events.size(), -1);
    if (count < 0 && errno != EINTR) throw_errno("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == worker.stop) {
        stopping = true;
      } else if (fd == source) {
        while (Taken socket = worker.source.take()) {
          const int taken = socket->release();
          add(taken);
          open.resize(std::max(open.size(), static_cast<std::size_t>(taken) + 1));
          open[static_cast<std::size_t>(taken)] = true;
          worker.count_accepted();
        }
      } else if (!echo(fd, buffer, worker.stats)) {
        open[static_cast<std::size_t>(fd)] = false;
        end(fd, worker);
      }
    }
  }
  for (std::size_t fd = 0; fd < open.size(); ++fd) {
    if (open[fd]) end(static_cast<int>(fd), worker);
  }
}

Availability always() { return {}; }

}  // namespace

extern const Backend bare_select_backend{
    .name = "bare-select",
    .summary = "control: select(2) and nothing around it",
    .probe = [] { return Availability::up_to(FD_SETSIZE - 1, "fd_set ends at FD_SETSIZE"); },
    .serve = serve_select,
};
extern const Backend bare_poll_backend{
    .name = "bare-poll",
    .summary = "control: poll(2) and nothing around it",
    .probe = always,
    .serve = serve_poll,
};
extern const Backend bare_epoll_lt_backend{
    .name = "bare-epoll-lt",
    .summary = "control: epoll(7), level-triggered, and nothing around it",
    .probe = always,
    .serve = [](Worker& worker) { serve_epoll(worker, 0); },
};
extern const Backend bare_epoll_et_backend{
    .name = "bare-epoll-et",
    .summary = "control: epoll(7), edge-triggered, and nothing around it",
    .probe = always,
    .serve = [](Worker& worker) { serve_epoll(worker, EPOLLET); },
};

}  // namespace muxlab
