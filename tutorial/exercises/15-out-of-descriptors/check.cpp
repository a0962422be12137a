// The starter fails with: it is awake after 1000 turns: a busy loop
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/15-out-of-descriptors/server.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"
#include "tutorial/exercises/watched_poller.hpp"

namespace muxlab::exercise {
namespace {

/// As long as one lives there are so many descriptors left to be had, and no more.
class FewDescriptors {
 public:
  explicit FewDescriptors(std::size_t left) {
    checked(::getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
    // Those that are handed out next, whichever they are.
    std::vector<UniqueFd> next(left);
    for (UniqueFd& fd : next) fd.reset(checked(::dup(STDOUT_FILENO), "dup"));
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(next.back().get()) + 1;
    checked(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

void expect_open(const Server& server, std::size_t wanted, const std::string& situation) {
  expect(server.open() == wanted, situation + ": " + std::to_string(wanted) + " are served",
         std::to_string(server.open()) + " are, and the loop sleeps");
}

}  // namespace

void check() {
  constexpr std::size_t kPlaces = 3;
  constexpr std::size_t kClients = 8;
  WatchedPoller poller("epoll-lt");
  UniqueFd listener = unix_listener();
  const UniqueFd same(checked(::dup(listener.get()), "dup"));  // to connect to it
  std::vector<UniqueFd> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(connect_to(same));
  Server server(poller, std::move(listener));
  const auto run = [&] { run_until_asleep(poller, [&] { server.turn(); }); };

  const FewDescriptors few(kPlaces);
  run();
  expect_open(server, kPlaces, "8 clients come and there are descriptors for 3");
  for (std::size_t left = 1; left <= kClients - kPlaces; ++left) {
    // Its own descriptor stays open, so that it is a server's that gets free.
    send_now(clients[left - 1], "x");
    ::shutdown(clients[left - 1].get(), SHUT_RDWR);
    run();
    expect_open(server, kPlaces, "client " + std::to_string(left) + " leaves, and others wait");
  }
}

}  // namespace muxlab::exercise
