// The starter fails with: after the first push() the descriptor is readable
#include <poll.h>
#include <sys/eventfd.h>

#include <fstream>
#include <thread>

#include "tutorial/exercises/14-hand-off/hand_off.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

bool readable(const HandOff& queue) {
  pollfd waited{.fd = queue.fd(), .events = POLLIN, .revents = 0};
  return checked(::poll(&waited, 1, 0), "poll") == 1;
}

/// What was written to the eventfd since it was read, which proc(5) tells without a read.
std::string count_of(const HandOff& queue) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(queue.fd()));
  for (std::string key, value; info >> key >> value;) {
    if (key == "eventfd-count:") return std::to_string(std::stoul(value, nullptr, 16));
  }
  throw Wrong{.expected = "fd() is an eventfd", .happened = "it is not"};
}

UniqueFd something() { return UniqueFd(::eventfd(0, EFD_CLOEXEC)); }

/// The number of what is taken; -1 for nothing.
int take(HandOff& queue) {
  const auto taken = queue.take();
  return taken ? taken->get() : -1;
}

void wakes_once_per_burst() {
  HandOff queue;
  expect(!readable(queue), "an empty queue's descriptor is not readable", "it is");
  UniqueFd first = something();
  UniqueFd second = something();
  UniqueFd third = something();
  const int numbers[] = {first.get(), second.get(), third.get()};
  queue.push(std::move(first));
  expect(readable(queue), "after the first push() the descriptor is readable", "it is not");
  queue.push(std::move(second));
  queue.push(std::move(third));
  expect(count_of(queue) == "1", "a burst of three notifies once",
         "the eventfd counts " + count_of(queue));

  for (const int number : numbers) {
    expect(readable(queue), "the descriptor is readable as long as something waits", "it is not");
    const int taken = take(queue);
    expect(taken == number, "take() gives the oldest, descriptor " + std::to_string(number),
           taken < 0 ? "it gives nothing" : "it gives " + std::to_string(taken));
  }
  expect(take(queue) == -1, "then take() gives nothing", "it gives something");
  expect(!readable(queue), "when take() has found the queue empty the descriptor is not readable",
         "it still is: the loop would spin");
  queue.push(something());
  expect(readable(queue), "it wakes again once it was empty", "it does not");
}

void loses_nothing_between_two_threads() {
  constexpr int kCount = 50'000;
  HandOff queue;
  std::thread sender([&] {
    for (int i = 0; i < kCount; ++i) queue.push(UniqueFd());
  });
  int taken = 0;
  pollfd waited{.fd = queue.fd(), .events = POLLIN, .revents = 0};
  constexpr int kMinuteMs = 60'000;
  while (taken < kCount && ::poll(&waited, 1, kMinuteMs) == 1) {
    while (queue.take()) ++taken;
  }
  sender.join();
  expect(taken == kCount,
         "of " + std::to_string(kCount) + " that one thread pushes another gets all",
         std::to_string(taken) + " came, and then nobody was woken any more");
}

}  // namespace

void check() {
  wakes_once_per_burst();
  loses_nothing_between_two_threads();
}

}  // namespace muxlab::exercise
