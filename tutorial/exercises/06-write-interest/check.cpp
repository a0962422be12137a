// The starter fails with: it is awake after 1000 turns: a busy loop
#include "tutorial/exercises/06-write-interest/echo.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"
#include "tutorial/exercises/watched_poller.hpp"

namespace muxlab::exercise {
namespace {

void expect_echo(const std::string& sent, const std::string& echoed, const std::string& what) {
  expect(echoed == sent, what + ": all of it comes back",
         std::to_string(echoed.size()) + " of " + std::to_string(sent.size()) + " bytes come back" +
             (echoed.size() == sent.size() ? ", but not the same" : ""));
}

}  // namespace

void check() {
  WatchedPoller poller("epoll-lt");
  Pair pair = unix_pair();
  Echo echo(poller, std::move(pair.near));
  const auto run = [&] { run_until_asleep(poller, [&] { echo.turn(); }); };

  run();
  send_now(pair.far, "hello");
  run();
  expect_echo("hello", receive_now(pair.far), "five bytes");

  // More than fits, to a client that sends first and reads later.
  const std::string much = some_bytes(2'000'000);
  std::string echoed;
  for (std::size_t sent = 0; echoed.size() < much.size();) {
    sent += send_now(pair.far, std::string_view(much).substr(sent));
    run();
    const std::string more = receive_now(pair.far);
    if (more.empty() && sent == much.size()) break;
    echoed += more;
  }
  expect_echo(much, echoed, "two million bytes");
  run();

  send_now(pair.far, "bye");
  run();
  expect_echo("bye", receive_now(pair.far), "three bytes after that");
}

}  // namespace muxlab::exercise
