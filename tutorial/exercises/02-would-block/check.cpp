// The starter fails with: the peer is silent: receive() returns nothing_yet
#include <sys/socket.h>

#include <array>

#include "tutorial/exercises/02-would-block/receive.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

void expect_received(int fd, Received wanted, const std::string& situation) {
  constexpr std::array kNames = {"data", "nothing_yet", "end", "broken"};
  std::string into;
  const Received found = receive(fd, into);
  expect(found == wanted,
         situation + ": receive() returns " + kNames[static_cast<std::size_t>(wanted)],
         std::string("it returns ") + kNames[static_cast<std::size_t>(found)]);
}

void end_of_stream_after_data() {
  const Pair pair = unix_pair();
  expect_received(pair.near.get(), Received::nothing_yet, "the peer is silent");
  send_now(pair.far, "hello");
  expect_received(pair.near.get(), Received::data, "five bytes have come");
  expect_received(pair.near.get(), Received::nothing_yet, "all of it is received");
  ::shutdown(pair.far.get(), SHUT_WR);
  expect_received(pair.near.get(), Received::end, "the peer has ended its stream");
}

void a_reset() {
  Pair pair = unix_pair();
  send_now(pair.near, "never read");
  pair.far.reset();  // with something unread: that resets
  expect_received(pair.near.get(), Received::broken, "the peer has reset the connection");
}

}  // namespace

void check() {
  end_of_stream_after_data();
  a_reset();
}

}  // namespace muxlab::exercise
