#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <array>
#include <thread>

#include "tutorial/programs/sockets.hpp"

/// signals_and_timers: whatever a loop has to wait for can be a descriptor. Here the same
/// epoll_wait() waits for another thread (eventfd), for a signal (signalfd) and for a time
/// (timerfd); each one that comes sets off the next.
using namespace tutorial;

namespace {

using Count = std::uint64_t;  ///< what read(2) gives for an eventfd and for a timerfd

/// A blocked signal is not delivered; it stays pending until the descriptor is read.
Fd watch_signal(int signal) {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, signal);
  check(::sigprocmask(SIG_BLOCK, &set, nullptr), "sigprocmask");
  return Fd(check(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
}

void watch(const Fd& epoll, const Fd& fd) {
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = fd.get()}};
  check(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &wanted), "epoll_ctl");
}

/// Even without a handler it may return EINTR: when the process was stopped and goes on.
int wait(const Fd& epoll) {
  epoll_event event{};
  int ready = -1;
  do {
    ready = ::epoll_wait(epoll.get(), &event, 1, -1);
  } while (ready < 0 && errno == EINTR);
  check(ready, "epoll_wait");
  return event.data.fd;
}

Count read_count(const Fd& fd) {
  Count count = 0;
  check(::read(fd.get(), &count, sizeof count), "read");
  return count;
}

void add(const Fd& eventfd, Count count) {
  check(::write(eventfd.get(), &count, sizeof count), "write");
}

struct Loop {
  Fd epoll{check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  Fd wakeup{check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")};
  Fd signal = watch_signal(SIGUSR1);
  Fd timer{check(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")};
  int expired = 0;

  /// The writes of the other thread are added up: one event, however many they were.
  void on_wakeup() const {
    say("eventfd: another thread wrote 3 times, one read gives the sum: {}", read_count(wakeup));
    for (int i = 0; i < 2; ++i) check(::kill(::getpid(), SIGUSR1), "kill");
  }

  /// A signal that is pending already is not pending twice.
  void on_signal() const {
    signalfd_siginfo info{};
    int times = 0;
    while (::read(signal.get(), &info, sizeof info) > 0) ++times;
    say("signalfd: SIGUSR1 was sent 2 times while nobody looked, and reported: {}", times);
    const bool ours = info.ssi_pid == static_cast<std::uint32_t>(::getpid());
    say("signalfd: it tells who sent it: {}", ours ? "this process" : "another process");
    start_timer();
  }

  void start_timer() const {
    constexpr timespec kInterval{.tv_sec = 0, .tv_nsec = 10'000'000};
    const itimerspec times{.it_interval = kInterval, .it_value = kInterval};
    check(::timerfd_settime(timer.get(), 0, &times, nullptr), "timerfd_settime");
  }

  /// Who comes late reads how often the timer expired meanwhile. False when that is enough.
  bool on_timer() {
    constexpr int kEnough = 3;
    for (Count missed = read_count(timer); missed > 0 && expired < kEnough; --missed) {
      say("timerfd: expired, number {}", ++expired);
    }
    return expired < kEnough;
  }

  void run() {
    for (const Fd* fd : {&wakeup, &signal, &timer}) watch(epoll, *fd);
    for (bool more = true; more;) {
      const int ready = wait(epoll);
      if (ready == wakeup.get()) on_wakeup();
      if (ready == signal.get()) on_signal();
      if (ready == timer.get()) more = on_timer();
    }
  }
};

}  // namespace

int main() try {
  Loop loop;  // blocks the signal before there are threads, which inherit that
  std::thread([&] {
    for (Count count = 1; count <= 4; count *= 2) add(loop.wakeup, count);
  }).join();
  loop.run();
} catch (const std::exception& error) {
  fmt::print(stderr, "signals_and_timers: {}\n", error.what());
  return 1;
}
