// The starter fails with: add() is to be written
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"
#include "backends/reactor.hpp"
#include "tutorial/exercises/21-own-poller/own_poller.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"
#include "tutorial/exercises/watched_poller.hpp"

namespace muxlab::exercise {
namespace {

/// Step by step, with local sockets: whatever is ready is ready at once.
class Steps {
 public:
  void expect_reported(bool wanted, const std::string& situation) {
    const auto ready = poller_.wait();
    const bool reported = std::ranges::find(ready, fd()) != ready.end();
    expect(reported == wanted,
           situation + ": wait() " + (wanted ? "reports it" : "does not report it"),
           reported ? "it does" : "it does not");
  }

  void run() {
    poller_.add(fd(), Interest::read);
    expect_reported(false, "a descriptor with nothing to read, added to read");
    send_now(pair_.far, "x");
    expect_reported(true, "something has come");
    if (poller_.trigger() == Trigger::level) expect_reported(true, "it is still unread");
    poller_.modify(fd(), Interest::read);
    expect_reported(true, "it is unread, and modify() asks anew");
    receive_now(pair_.near);
    expect_reported(false, "all is read");
    poller_.modify(fd(), Interest::write);
    expect_reported(true, "modify() to write, and there is room");
    fill();
    expect_reported(false, "there is no room left to write");
    poller_.modify(fd(), Interest::read);
    expect_reported(false, "modify() to read, and there is nothing");
    pair_.far.reset();
    expect_reported(true, "the peer has closed");
    poller_.remove(fd());
    expect_reported(false, "after remove()");
  }

  /// A pipe's end is hung up and not readable: nothing but POLLHUP tells of it.
  void hang_up() {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), "pipe2");
    const UniqueFd reader(ends[0]);
    UniqueFd(ends[1]).reset();
    poller_.add(reader.get(), Interest::read);
    const auto ready = poller_.wait();
    expect(std::ranges::find(ready, reader.get()) != ready.end(),
           "a pipe whose writer has closed: wait() reports it", "it does not");
    poller_.remove(reader.get());
  }

  void many() {
    std::vector<Pair> pairs(100);
    std::set<int> wanted;
    for (Pair& pair : pairs) {
      pair = unix_pair();
      poller_.add(pair.near.get(), Interest::read);
      if (wanted.size() < pairs.size() / 2) {
        send_now(pair.far, "x");
        wanted.insert(pair.near.get());
      }
    }
    // One wait() need not bring all of them.
    std::set<int> found;
    for (std::size_t waits = 0; found.size() < wanted.size() && waits < pairs.size(); ++waits) {
      const auto ready = poller_.wait();
      found.insert(ready.begin(), ready.end());
    }
    expect(found == wanted, "of 100 descriptors the 50 that are readable are reported",
           std::to_string(found.size()) + " are, or not these");
    for (const Pair& pair : pairs) poller_.remove(pair.near.get());
  }

 private:
  [[nodiscard]] int fd() const { return pair_.near.get(); }
  /// Then what waited before is no news any more.
  void fill() {
    send_now(pair_.near, std::string(std::size_t{8} << 20U, 'x'));
    if (poller_.trigger() == Trigger::edge) static_cast<void>(poller_.wait());
  }

  WatchedPoller poller_{make_own_poller()};
  Pair pair_ = unix_pair();
};

class Listening final : public ConnectionSource {
 public:
  [[nodiscard]] int fd() const override { return listener.get(); }
  Taken take() override {
    UniqueFd client(::accept4(fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client) return {};
    return client;
  }
  void give_back() override {}
  void close() override {}

  UniqueFd listener = unix_listener();
};

/// Sends `message` and waits until as much has come back; a minute at most without progress.
std::string exchange(const UniqueFd& client, const std::string& message) {
  std::string echo;
  for (std::size_t sent = 0; echo.size() < message.size();) {
    sent += send_now(client, std::string_view(message).substr(sent));
    const short more_to_send = sent < message.size() ? POLLOUT : 0;
    soon_ready(client.get(), static_cast<short>(POLLIN | more_to_send));
    bool ended = false;
    echo += receive_now(client, &ended);
    if (ended) break;
  }
  return echo;
}

/// The suite's own reactor, on this poller, with clients that send at the same time.
void serves_the_suites_reactor() {
  const UniqueFd stop(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
  Listening source;
  const ServeOptions options;
  WorkerStats stats;
  Worker worker{.source = source, .stop = stop.get(), .options = options, .stats = stats};
  const auto poller = make_own_poller();
  std::thread server([&] { run_reactor(*poller, worker); });

  std::vector<UniqueFd> clients(16);
  for (UniqueFd& client : clients) client = connect_to(source.listener);
  bool all_back = true;
  for (const UniqueFd& client : clients) {
    const std::string message = some_bytes(500'000);
    all_back = all_back && exchange(client, message) == message;
  }
  clients.clear();
  notify(stop.get());
  server.join();
  expect(all_back, "on the suite's reactor each of 16 clients gets all of its echo",
         "one does not");
  expect(stats.accepted.get() == 16 && stats.closed.get() == 16, "16 connections begin and end",
         std::to_string(stats.accepted.get()) + " begin and " + std::to_string(stats.closed.get()) +
             " end");
}

}  // namespace

void check() {
  Steps steps;
  steps.run();
  steps.hang_up();
  steps.many();
  serves_the_suites_reactor();
}

}  // namespace muxlab::exercise
