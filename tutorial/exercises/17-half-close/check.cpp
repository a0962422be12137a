// The starter fails with: come back, and then the end of the stream
#include <sys/socket.h>

#include <memory>

#include "tutorial/exercises/17-half-close/echo.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

using Base = std::unique_ptr<event_base, decltype(&event_base_free)>;

/// Lets the server do all that it can without anything new. The sockets are local, so that what was
/// sent is there, and a few turns without an event are enough to know.
void settle(const Base& base) {
  constexpr int kTurns = 200;
  for (int i = 0; i < kTurns; ++i) event_base_loop(base.get(), EVLOOP_NONBLOCK);
}

/// A client that sends all, ends its stream, and only then begins to read.
void echo_to_a_late_reader(std::size_t size) {
  const Base base(event_base_new(), event_base_free);
  Pair pair = unix_pair();
  bool over = false;
  serve(base.get(), pair.near.release(), &over);

  const std::string message = some_bytes(size);
  for (std::size_t sent = 0; sent < size;) {
    const std::size_t more = send_now(pair.far, std::string_view(message).substr(sent));
    expect(more > 0, "the server receives all that the client sends", "it has stopped to receive");
    sent += more;
    settle(base);
  }
  ::shutdown(pair.far.get(), SHUT_WR);
  settle(base);

  std::string echo;
  bool ended = false;
  for (std::string more = receive_now(pair.far, &ended); !more.empty();
       more = receive_now(pair.far, &ended)) {
    echo += more;
    settle(base);
  }
  expect(echo == message, "all " + std::to_string(size) + " bytes come back",
         std::to_string(echo.size()) + " come back, and then " +
             (ended ? "the end of the stream" : "nothing, though the connection is open"));
  expect(ended && over, "then the server closes", "it does not");
}

}  // namespace

void check() {
  echo_to_a_late_reader(5);
  echo_to_a_late_reader(2'000'000);
}

}  // namespace muxlab::exercise
