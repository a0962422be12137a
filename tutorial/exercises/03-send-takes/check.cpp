// The starter fails with: takes_all: open
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/predicting.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

constexpr std::size_t kMuch = std::size_t{8} << 20U;

Answer one_send_takes_all() {
  const Pair pair = tcp_pair();
  const std::string much(kMuch, 'x');
  const ssize_t sent = ::send(pair.near.get(), much.data(), much.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(much.size()) ? "yes" : "no";
}

Answer how_sending_ends() {
  const Pair pair = tcp_pair();
  const std::string much(kMuch, 'x');
  while (::send(pair.near.get(), much.data(), much.size(), MSG_NOSIGNAL) >= 0) {
  }
  return errno_name(errno);
}

Answer what_a_buffer_becomes() {
  const Pair pair = tcp_pair();
  int size = 65'536;
  socklen_t length = sizeof size;
  checked(::setsockopt(pair.near.get(), SOL_SOCKET, SO_SNDBUF, &size, length), "setsockopt");
  checked(::getsockopt(pair.near.get(), SOL_SOCKET, SO_SNDBUF, &size, &length), "getsockopt");
  return size;
}

Answer room_after_one_byte() {
  const Pair pair = unix_pair();
  send_now(pair.near, std::string(kMuch, 'x'));
  char byte = 0;
  checked(static_cast<int>(::recv(pair.far.get(), &byte, 1, 0)), "recv");
  pollfd waited{.fd = pair.near.get(), .events = POLLOUT, .revents = 0};
  return checked(::poll(&waited, 1, 0), "poll") == 1 ? "yes" : "no";
}

Answer arrive_after_close() {
  Pair pair = unix_pair();
  send_now(pair.near, std::string(100, 'x'));
  pair.near.reset();
  return std::ssize(receive_now(pair.far));
}

Answer send_after_shutdown() {
  const Pair pair = unix_pair();
  checked(::shutdown(pair.near.get(), SHUT_WR), "shutdown");
  return outcome(static_cast<int>(::send(pair.near.get(), "x", 1, MSG_NOSIGNAL)));
}

}  // namespace

void check() {
  compare({
      {"takes_all", one_send_takes_all(),
       "it takes what fits into the kernel's buffers, here and at the peer, and says how much"},
      {"ends_with", how_sending_ends(), "no room now: the rest has to wait in the application"},
      {"buffer_of_65536", what_a_buffer_becomes(),
       "Linux doubles it, for its own book-keeping: socket(7)"},
      {"room_after_one_byte", room_after_one_byte(),
       "room is reported when there is plenty, so that a loop does not wake for every byte"},
      {"arrive_after_close", arrive_after_close(),
       "what send() took is the kernel's, which delivers it when the descriptor is long closed"},
      {"after_shutdown", send_after_shutdown(),
       "this side has said that it sends no more (and without MSG_NOSIGNAL, SIGPIPE would end the "
       "process)"},
  });
}

}  // namespace muxlab::exercise
