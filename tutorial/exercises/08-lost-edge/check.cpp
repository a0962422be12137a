// The starter fails with: are, the loop sleeps, and no edge will tell of the rest
#include <sys/socket.h>

#include "tutorial/exercises/08-lost-edge/receiver.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"
#include "tutorial/exercises/watched_poller.hpp"

namespace muxlab::exercise {
namespace {

/// In one go comes all that the sizes say; then the end of the stream, with the last or alone.
void nothing_stays(const std::vector<std::size_t>& sizes, bool end_comes_with_the_last) {
  WatchedPoller poller("epoll-et");
  Pair pair = unix_pair();
  Receiver receiver(poller, std::move(pair.near));
  const auto run = [&] { run_until_asleep(poller, [&] { receiver.turn(); }); };
  const auto end = [&] { ::shutdown(pair.far.get(), SHUT_WR); };

  run();
  std::string sent;
  for (const std::size_t size : sizes) {
    const std::string message = some_bytes(size);
    send_now(pair.far, message);
    sent += message;
    if (end_comes_with_the_last && &size == &sizes.back()) end();
    run();
    expect(receiver.received() == sent,
           "after " + std::to_string(size) + " more bytes all " + std::to_string(sent.size()) +
               " are received",
           std::to_string(receiver.received().size()) +
               " are, the loop sleeps, and no edge will tell of the rest");
  }
  end();
  run();
  expect(receiver.ended(), "the end of the stream is seen",
         std::string("the loop sleeps, and it is not") +
             (end_comes_with_the_last ? " (it came together with the last bytes)" : ""));
}

}  // namespace

void check() {
  nothing_stays({100, 10'000, 1}, false);
  nothing_stays({4096, 8192}, false);
  nothing_stays({100}, true);
}

}  // namespace muxlab::exercise
