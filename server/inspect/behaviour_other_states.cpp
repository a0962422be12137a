#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <limits>

#include "backends/parts/failure.hpp"
#include "backends/parts/loopback.hpp"
#include "server/inspect/behaviour_scene.hpp"
#include "server/inspect/behaviour_socket.hpp"

/// Listeners, sockets that are not TCP, pipes and files.
namespace muxlab::behaviour {
namespace {

Scene listener() { return {listen_tcp(), {}}; }

Scene listener_with_connection() {
  Scene scene{listen_tcp(), {}};
  scene.kept.push_back(begin_connect(scene.watched.get()));
  await_event(scene.watched.get(), POLLIN);
  return scene;
}

Scene listener_with_reset() {
  Scene scene = listener_with_connection();
  reset(scene.kept[0]);
  scene.kept.clear();
  settle();  // no call shows whether the reset has arrived
  return scene;
}

Scene unix_pair() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
          "socketpair");
  Scene scene{UniqueFd(ends[0]), {}};
  scene.kept.emplace_back(ends[1]);
  return scene;
}

Scene unix_peer_closed() {
  Scene scene = unix_pair();
  scene.kept.clear();
  return scene;
}

Scene unix_peer_closed_unread() {
  Scene scene = unix_pair();
  checked(static_cast<int>(::send(scene.watched.get(), "?", 1, MSG_NOSIGNAL)), "send");
  scene.kept.clear();
  return scene;
}

/// Sends to a port whose socket we have closed.
Scene datagram_refused() {
  SocketAddress name = loopback().at(0);
  const auto udp = [&name] {
    return UniqueFd(
        checked(::socket(name.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  };
  UniqueFd closed = udp();
  Scene scene{udp(), {}};
  checked(::bind(closed.get(), name.get(), name.size), "bind");
  checked(::getsockname(closed.get(), name.get(), &name.size), "getsockname");
  checked(::connect(scene.watched.get(), name.get(), name.size), "connect");
  closed.reset();
  checked(static_cast<int>(::send(scene.watched.get(), "?", 1, 0)), "send");
  await_event(scene.watched.get(), POLLERR);
  return scene;
}

struct Pipe {
  UniqueFd reader, writer;
};
Pipe make_pipe() {
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), "pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Scene reading(Pipe pipe) {
  Scene scene{std::move(pipe.reader), {}};
  scene.kept.push_back(std::move(pipe.writer));
  return scene;
}

Scene writing(Pipe pipe) {
  Scene scene{std::move(pipe.writer), {}};
  scene.kept.push_back(std::move(pipe.reader));
  return scene;
}

void write_four(const Pipe& pipe) {
  checked(static_cast<int>(::write(pipe.writer.get(), "????", 4)), "write");
}

Scene pipe_empty() { return reading(make_pipe()); }

Scene pipe_data() {
  Pipe pipe = make_pipe();
  write_four(pipe);
  return reading(std::move(pipe));
}

Scene pipe_no_writer() {
  Pipe pipe = make_pipe();
  pipe.writer.reset();
  return reading(std::move(pipe));
}

Scene pipe_data_no_writer() {
  Pipe pipe = make_pipe();
  write_four(pipe);
  pipe.writer.reset();
  return reading(std::move(pipe));
}

Scene pipe_room() { return writing(make_pipe()); }

Scene pipe_full() {
  Pipe pipe = make_pipe();
  const std::array<char, 4096> page{};
  while (::write(pipe.writer.get(), page.data(), page.size()) > 0) {
  }
  return writing(std::move(pipe));
}

Scene pipe_no_reader() {
  Pipe pipe = make_pipe();
  pipe.reader.reset();
  return writing(std::move(pipe));
}

Scene counter_with(std::uint64_t count) {
  Scene scene{UniqueFd(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")), {}};
  if (count > 0) {
    checked(static_cast<int>(::write(scene.watched.get(), &count, sizeof count)), "write");
  }
  return scene;
}

Scene counter_zero() { return counter_with(0); }
Scene counter_raised() { return counter_with(3); }
Scene counter_full() { return counter_with(std::numeric_limits<std::uint64_t>::max() - 1); }

Scene regular_file() {
  Scene scene{UniqueFd(checked(::memfd_create("regular", MFD_CLOEXEC), "memfd_create")), {}};
  checked(static_cast<int>(::pwrite(scene.watched.get(), "????", 4, 0)), "pwrite");
  return scene;
}

Scene null_device() {
  return {UniqueFd(checked(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null")), {}};
}

constexpr std::array kListenerStates = {
    State{"listener, idle", "Nobody has connected: nothing, not even room to write.", "accept(2)",
          listener, NextCalls::accept},
    State{"listener, one waits", "A connection to accept is readable.", "accept(2)",
          listener_with_connection, NextCalls::accept},
    State{"listener, one was reset",
          "A connection that is reset in the queue stays there: accept(2) succeeds, and the first "
          "recv(2) tells.",
          "accept(2)", listener_with_reset, NextCalls::accept},
};

constexpr std::array kOtherStates = {
    State{"unix, peer closed",
          "A local peer that closed is the end of both directions at once, not of one.", "unix(7)",
          unix_peer_closed},
    State{"unix, closed unread",
          "The peer closed without reading what was sent: an error first, as after a reset.",
          "unix(7)", unix_peer_closed_unread},
    State{"UDP, refused", "An ICMP answer to what was sent: an error that is told once.", "udp(7)",
          datagram_refused},
    State{"pipe to read, empty", "Nothing, until somebody writes.", "pipe(7)", pipe_empty,
          NextCalls::file},
    State{"pipe to read, data", "Four bytes to read.", "pipe(7)", pipe_data, NextCalls::file},
    State{
        "pipe to read, no writer",
        "A pipe's end is hung up and not readable: to ask for POLLIN alone is still enough, since "
        "POLLHUP comes unasked.",
        "pipe(7)", pipe_no_writer, NextCalls::file},
    State{"pipe to read, data, no writer", "Data and hung up: read until 0, not until POLLHUP.",
          "pipe(7)", pipe_data_no_writer, NextCalls::file},
    State{"pipe to write, room", "Writable as long as PIPE_BUF bytes go in at once.", "pipe(7)",
          pipe_room, NextCalls::file},
    State{"pipe to write, full", "Nothing, until somebody reads.", "pipe(7)", pipe_full,
          NextCalls::file},
    State{"pipe to write, no reader",
          "An error, asked for or not; write(2) would raise SIGPIPE unless it is ignored.",
          "pipe(7)", pipe_no_reader, NextCalls::file},
    State{"eventfd, zero", "Room to count up, nothing to read.", "eventfd(2)", counter_zero,
          NextCalls::event_counter},
    State{"eventfd, raised", "Readable until it is read; one read(2) takes all.", "eventfd(2)",
          counter_raised, NextCalls::event_counter},
    State{"eventfd, full", "No room for one more: a wake-up that fails here is no loss.",
          "eventfd(2)", counter_full, NextCalls::event_counter},
    State{"regular file",
          "Always ready, even when the disk is slow; epoll(7) refuses, since it would have nothing "
          "to wait for.",
          "epoll_ctl(2)", regular_file, NextCalls::file},
    State{"/dev/null", "A device without a way to wait for it is as a regular file.", "null(4)",
          null_device, NextCalls::file},
};

}  // namespace

std::span<const State> listener_states() { return kListenerStates; }
std::span<const State> other_states() { return kOtherStates; }

}  // namespace muxlab::behaviour
