#include "backends/counting/counted_calls.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {
namespace {

using std::chrono::milliseconds;

struct Pair {
  Pair() {
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    here.reset(ends[0]);
    there.reset(ends[1]);
  }
  UniqueFd here, there;
};

std::uint64_t ns(const WorkerStats& stats, Call call) {
  return stats.call_ns[static_cast<std::size_t>(call)].get();
}

std::uint64_t ns(milliseconds time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

void send_and_receive(const Pair& pair) {
  char byte = '?';
  ASSERT_EQ(::send(pair.here.get(), &byte, 1, 0), 1);
  ASSERT_EQ(::recv(pair.there.get(), &byte, 1, 0), 1);
}

TEST(CountedCalls, CountsTheEventsThatWaitingBrings) {
  const Pair one, other;
  WorkerStats stats;
  const CountedCalls counted(stats);
  const UniqueFd epoll(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  for (const Pair* pair : {&one, &other}) {
    ASSERT_EQ(::send(pair->here.get(), "?", 1, 0), 1);
    epoll_event event{.events = EPOLLIN, .data = {.fd = pair->there.get()}};
    ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, pair->there.get(), &event), 0);
  }
  std::array<epoll_event, 4> events{};
  ASSERT_EQ(::epoll_wait(epoll.get(), events.data(), 4, 0), 2);
  pollfd nothing{.fd = one.here.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&nothing, 1, 0), 0);
  EXPECT_EQ(stats[Call::wait].get(), 2U);
  EXPECT_EQ(stats.events.get(), 2U);
}

TEST(CountedCalls, AreNotTimedUnlessAskedFor) {
  const Pair pair;
  WorkerStats stats;
  const CountedCalls counted(stats);
  send_and_receive(pair);
  EXPECT_EQ(stats[Call::read].get(), 1U);
  EXPECT_EQ(ns(stats, Call::read), 0U);
  EXPECT_EQ(stats.clock_ns.get(), 0U);
}

TEST(CountedCalls, AreTimedByKind) {
  const Pair pair;
  const CallObserver observer{.clocks = CallClocks::measured()};
  WorkerStats stats;
  stats.observer = &observer;
  const CountedCalls counted(stats);
  for (int i = 0; i < 1000; ++i) send_and_receive(pair);
  EXPECT_GT(ns(stats, Call::read), 0U);
  EXPECT_GT(ns(stats, Call::write), 0U);
  EXPECT_EQ(ns(stats, Call::wait), 0U);
  EXPECT_GE(stats.clock_ns.get(), 2 * 2 * 1000 * observer.clocks->monotonic.reading_ns);
}

/// Waits for a late byte, which costs hardly any CPU time.
template <typename Receive>
void receive_late(const Pair& pair, Receive receive) {
  std::thread sender([&] {
    std::this_thread::sleep_for(milliseconds(100));
    static_cast<void>(::send(pair.here.get(), "?", 1, 0));
  });
  receive();
  sender.join();
}

TEST(CountedCalls, TheTimeOfAWaitIsNotThatOfSleeping) {
  const Pair pair;
  const CallObserver observer{.clocks = CallClocks::measured()};
  WorkerStats stats;
  stats.observer = &observer;
  const CountedCalls counted(stats);
  receive_late(pair, [&] {
    pollfd waited{.fd = pair.there.get(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&waited, 1, -1), 1);
  });
  EXPECT_LT(ns(stats, Call::wait), ns(milliseconds(50)));
}

TEST(CountedCalls, TheTimeOfAReceiveIsNotThatOfBeingOffTheProcessor) {
  const Pair pair;
  const CallObserver observer{.clocks = CallClocks::measured()};
  for (const bool sleeps : {false, true}) {  // known to sleep, or detected
    WorkerStats stats;
    stats.observer = &observer;
    stats.sleeps_in_any_call = sleeps;
    const CountedCalls counted(stats);
    receive_late(pair, [&] {
      char byte = 0;
      ASSERT_EQ(::recv(pair.there.get(), &byte, 1, 0), 1);
    });
    EXPECT_LT(ns(stats, Call::read), ns(milliseconds(50))) << sleeps;
  }
}

TEST(CountedCalls, PartsAreTimedAsTheWhole) {
  const CallObserver observer{.clocks = CallClocks::measured()};
  WorkerStats stats;
  stats.observer = &observer;
  WorkerStats& part = stats.add_part();
  EXPECT_EQ(part.observer, &observer);
  part.call_ns[static_cast<std::size_t>(Call::write)].add(7);
  EXPECT_EQ(total_ns(stats, Call::write), 7U);
}

/// Makes system calls itself, and changes errno.
class NotingWatcher final : public CallWatcher {
 public:
  std::vector<std::string> notes;

  void thread_begins() override { notes.emplace_back("thread begins"); }
  void thread_ends() override { notes.emplace_back("thread ends"); }
  void begins(const MadeCall& call) override {
    notes.push_back(std::string(call.name) + " begins");
    ::close(-1);
  }
  void returned(const MadeCall& call, std::int64_t result, int error) override {
    const char* const text = error == EAGAIN && result < 0 ? "EAGAIN" : "works";
    notes.push_back(std::string(call.name) + " " + text);
    size_asked_for = call.arguments[2];
    ::close(-1);
  }

  std::uint64_t size_asked_for = 0;
};

TEST(CountedCalls, AWatcherIsToldOfEach) {
  const Pair pair;
  NotingWatcher watcher;
  const CallObserver observer{.clocks = {}, .watcher = &watcher};
  WorkerStats stats;
  stats.observer = &observer;
  {
    const CountedCalls counted(stats);
    char bytes[7];
    ASSERT_EQ(::send(pair.here.get(), "?", 1, 0), 1);
    ASSERT_EQ(::recv(pair.there.get(), bytes, sizeof bytes, 0), 1);
    EXPECT_EQ(watcher.size_asked_for, 7U);
    ASSERT_EQ(::recv(pair.there.get(), bytes, sizeof bytes, MSG_DONTWAIT), -1);
    EXPECT_EQ(errno, EAGAIN) << "as the call left it";
  }
  static_cast<void>(::send(pair.here.get(), "?", 1, 0));  // not counted
  EXPECT_EQ(watcher.notes,
            (std::vector<std::string>{"thread begins", "send begins", "send works", "recv begins",
                                      "recv works", "recv begins", "recv EAGAIN", "thread ends"}));
  EXPECT_EQ(stats[Call::other].get(), 0U) << "calls of the watcher are not counted";
  EXPECT_EQ(stats[Call::read].get(), 2U);
}

TEST(CountedCalls, AreTimedBesideAWatcherToo) {
  const Pair pair;
  NotingWatcher watcher;
  const CallObserver observer{.clocks = CallClocks::measured(), .watcher = &watcher};
  WorkerStats stats;
  stats.observer = &observer;
  const CountedCalls counted(stats);
  for (int i = 0; i < 100; ++i) send_and_receive(pair);
  EXPECT_GT(ns(stats, Call::write), 0U);
  EXPECT_EQ(watcher.notes.size(), 1 + 2 * 2 * 100U);
}

}  // namespace
}  // namespace muxlab
