// The starter fails with: own_epoll: open
#include <sys/epoll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "backends/parts/failure.hpp"
#include "server/testing/threads.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/predicting.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

constexpr int kThreads = 4;

/// Until nothing is left to be done for what has happened so far.
void until_all_sleep() {
  while (!test::others_sleep()) std::this_thread::yield();
}

struct Herd {
  int woken = 0;
  int in_vain = 0;
};

UniqueFd epoll_of(const UniqueFd& listener, std::uint32_t events) {
  UniqueFd epoll(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  epoll_event event{.events = events, .data = {.fd = listener.get()}};
  checked(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.get(), &event), "epoll_ctl");
  return epoll;
}

/// `instances`: 1, or one for each thread.
Herd herd(int instances, std::uint32_t events) {
  const UniqueFd listener = unix_listener();
  std::vector<UniqueFd> epolls;
  epolls.reserve(kThreads);
  for (int i = 0; i < instances; ++i) epolls.push_back(epoll_of(listener, events));

  std::atomic<int> woken = 0;
  std::atomic<int> in_vain = 0;
  std::atomic<bool> may_accept = false;
  const auto sleeper = [&](int epoll) {
    epoll_event event{};
    if (::epoll_wait(epoll, &event, 1, -1) != 1) return;
    ++woken;
    may_accept.wait(false);
    const UniqueFd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) ++in_vain;
  };
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(sleeper, epolls[static_cast<std::size_t>(i % instances)].get());
  }
  until_all_sleep();
  std::vector<UniqueFd> clients;
  clients.push_back(connect_to(listener));
  until_all_sleep();
  Herd result{.woken = woken};

  may_accept = true;
  may_accept.notify_all();
  until_all_sleep();  // or have ended
  result.in_vain = in_vain;
  // Whoever still sleeps is woken by as many clients as it takes.
  for (int i = woken; i < kThreads; i = woken) {
    clients.push_back(connect_to(listener));
    until_all_sleep();
  }
  for (std::thread& thread : threads) thread.join();
  return result;
}

}  // namespace

void check() {
  const Herd own = herd(kThreads, EPOLLIN);
  const Herd exclusive = herd(kThreads, EPOLLIN | EPOLLEXCLUSIVE);
  compare({
      {"own_epoll", own.woken, "the thundering herd: every instance is told, and all wake"},
      {"own_epoll_exclusive", exclusive.woken,
       "one instance is told (at least one, says epoll_ctl(2): be ready for EAGAIN all the same)"},
      {"one_epoll_level", herd(1, EPOLLIN).woken,
       "one thread is woken, but level-triggered the listener goes back to the ready list, and who "
       "puts it there wakes the next"},
      {"one_epoll_edge", herd(1, EPOLLIN | EPOLLET).woken,
       "one thread gets the edge, and it leaves nothing on the list for the others"},
      {"in_vain", own.in_vain, "there is one connection to accept"},
  });
}

}  // namespace muxlab::exercise
