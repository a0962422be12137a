// The starter fails with: end_first_recv: open
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/predicting.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

Answer moved(ssize_t bytes) { return bytes < 0 ? Answer(errno_name(errno)) : Answer(bytes); }

Answer receive(const UniqueFd& socket) {
  std::array<char, 64> buffer{};
  return moved(::recv(socket.get(), buffer.data(), buffer.size(), 0));
}

Answer send(const UniqueFd& socket) { return moved(::send(socket.get(), "x", 1, MSG_NOSIGNAL)); }

struct Calls {
  Answer first_recv;
  Answer second_recv;
  Answer send;
};

Calls calls_on(const UniqueFd& socket) {
  const Answer first = receive(socket);
  const Answer second = receive(socket);
  return {.first_recv = first, .second_recv = second, .send = send(socket)};
}

Calls after_end() {
  Pair pair = tcp_pair();
  pair.far.reset();
  soon_ready(pair.near.get(), POLLRDHUP);
  return calls_on(pair.near);
}

Calls after_reset() {
  Pair pair = tcp_pair();
  reset(pair.far);
  soon_ready(pair.near.get(), POLLERR);
  return calls_on(pair.near);
}

Answer data_before_reset() {
  Pair pair = tcp_pair();
  send_now(pair.far, "four");
  reset(pair.far);
  soon_ready(pair.near.get(), POLLERR);
  return receive(pair.near);
}

Answer closed_with_something_unread() {
  Pair pair = tcp_pair();
  send_now(pair.near, "four");
  soon_ready(pair.far.get(), POLLIN);
  pair.far.reset();
  soon_ready(pair.near.get(), POLLERR);
  return receive(pair.near);
}

Answer accept_after_reset() {
  const UniqueFd listener = tcp_listener();
  UniqueFd client = tcp_client(listener);
  soon_ready(listener.get(), POLLIN);
  reset(client);
  const UniqueFd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return outcome(accepted.get());
}

}  // namespace

void check() {
  const Calls end = after_end();
  const Calls reset = after_reset();
  compare({
      {"end_first_recv", end.first_recv, "the end of the stream"},
      {"end_second_recv", end.second_recv, "the end stays the end, however often it is asked for"},
      {"end_first_send", end.send,
       "the end of what the peer sends says nothing of what it takes: only the answer to this byte "
       "tells that nobody is there"},
      {"reset_first_recv", reset.first_recv, "an error, and it is told once"},
      {"reset_second_recv", reset.second_recv,
       "the error was told: what is left looks like an end"},
      {"reset_send", reset.send, "nothing can be sent any more, and SIGPIPE is held back"},
      {"data_before_reset", data_before_reset(), "what came before it can still be received"},
      {"closed_with_something_unread", closed_with_something_unread(),
       "close() with something unread resets: what this side sent on may be lost, and what the "
       "peer "
       "had sent too"},
      {"accept_after_reset", accept_after_reset(),
       "on Linux it stays in the queue, and the first recv() tells"},
  });
}

}  // namespace muxlab::exercise
