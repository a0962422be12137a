// The starter fails with: still wait, and the loop sleeps
#include "tutorial/exercises/10-accept-all/door.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"
#include "tutorial/exercises/watched_poller.hpp"

namespace muxlab::exercise {

void check() {
  WatchedPoller poller("epoll-et");
  UniqueFd listener = unix_listener();
  const UniqueFd same(::dup(listener.get()));  // to connect to it
  Door door(poller, std::move(listener));
  const auto run = [&] { run_until_asleep(poller, [&] { door.turn(); }); };

  run();
  std::vector<UniqueFd> clients;
  for (const int burst : {1, 3, 40, 1}) {
    for (int i = 0; i < burst; ++i) clients.push_back(connect_to(same));
    run();
    expect(door.accepted().size() == clients.size(),
           std::to_string(burst) + " connect at once: all are accepted",
           std::to_string(clients.size() - door.accepted().size()) +
               " still wait, and the loop sleeps");
  }
}

}  // namespace muxlab::exercise
