// The starter fails with: a second worker was on the connection before the first was done
#include <algorithm>
#include <functional>
#include <thread>

#include "tutorial/exercises/12-one-shot/serve.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"
#include "tutorial/exercises/watched_poller.hpp"

namespace muxlab::exercise {
namespace {

/// A poller on which the worst always happens: while one worker is still in rearm(), what it allows
/// takes place, on another thread and to the end.
class WorstCase final : public OneShotPoller {
 public:
  WorstCase(WatchedPoller& inner, std::function<void()> meanwhile)
      : inner_(inner), meanwhile_(std::move(meanwhile)) {}

  void add(int fd, Interest interest) override { inner_.add(fd, interest); }
  void modify(int fd, Interest interest) override { inner_.modify(fd, interest); }
  void remove(int fd) override { inner_.remove(fd); }
  void add_once(int fd, Interest interest) override { inner_.add_once(fd, interest); }
  void rearm(int fd, Interest interest) override {
    inner_.rearm(fd, interest);
    std::thread(meanwhile_).join();
  }
  std::span<const int> wait(int timeout_ms) override { return inner_.wait(timeout_ms); }

 private:
  WatchedPoller& inner_;
  std::function<void()> meanwhile_;
};

bool is_reported(WatchedPoller& poller, int fd) {
  const auto ready = poller.wait();
  return std::ranges::find(ready, fd) != ready.end();
}

}  // namespace

void check() {
  WatchedPoller poller("epoll-lt");
  const Pair pair = unix_pair();
  const int fd = pair.near.get();
  poller.add_once(fd, Interest::read);

  int second_workers = 0;
  WorstCase worst_case(poller, [&] {
    send_now(pair.far, "second ");
    if (!is_reported(poller, fd)) return;
    ++second_workers;
    serve(fd, poller);
  });
  send_now(pair.far, "first ");
  expect(is_reported(poller, fd), "the connection is reported to the first worker", "it is not");
  serve(fd, worst_case);

  expect(second_workers == 1, "once served, the connection is waited for again",
         "the next message is reported to nobody");
  const std::string echoed = receive_now(pair.far);
  expect(echoed == "first second ", "the client gets \"first second \"",
         "it gets \"" + echoed +
             "\": a second worker was on the connection before the first was done");
}

}  // namespace muxlab::exercise
