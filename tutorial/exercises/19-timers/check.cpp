// The starter fails with: times: it spins through the last millisecond
#include <string>

#include "tutorial/exercises/19-timers/deadlines.hpp"
#include "tutorial/exercises/checking.hpp"

namespace muxlab::exercise {
namespace {

using namespace std::chrono_literals;
using Time = Deadlines::Time;

std::string in_us(Time time) { return std::to_string(time / 1us) + " us"; }

/// A loop without connections, on a clock of its own: sleeping moves it on, and so does a turn.
class Loop {
 public:
  /// Runs until `fd` is due; nothing else may be before. How many turns that took.
  int turns_until(int fd, const std::string& name) {
    constexpr int kMoreThanEnough = 1000;
    for (int turns = 1; turns <= kMoreThanEnough; ++turns) {
      const int sleep = deadlines.wait_ms(now);
      expect(sleep >= 0, name + " is waited for",
             "wait_ms() says that there is nothing to wait for");
      now += sleep * 1ms + 10us;
      const auto due = deadlines.take_due(now);
      if (due.empty()) continue;
      expect(due.front() == fd, name + " is due next",
             "descriptor " + std::to_string(due.front()) + " is, at " + in_us(now));
      return turns;
    }
    throw Wrong{.expected = name + " is due", .happened = "it is not after 1000 turns"};
  }

  Deadlines deadlines;
  Time now{0};
};

void sleeps_once() {
  for (const Time due : {Time(10ms), Time(10'500us), Time(999us), Time(20'001us)}) {
    Loop loop;
    loop.deadlines.set(5, due);
    const int turns = loop.turns_until(5, "a deadline of " + in_us(due));
    expect(turns <= 2, "a loop with a deadline of " + in_us(due) + " wakes once or twice for it",
           "it wakes " + std::to_string(turns) + " times: it spins through the last millisecond");
    expect(loop.now < due + 2ms,
           "a deadline of " + in_us(due) + " is not late by a millisecond or more",
           "it is noticed at " + in_us(loop.now));
  }
}

void the_last_word_counts() {
  Loop loop;
  loop.deadlines.set(5, 10ms);
  loop.deadlines.set(6, 20ms);
  loop.deadlines.set(5, 30ms);  // something came on it
  loop.turns_until(6, "descriptor 6 (of 5 the deadline was moved behind it)");
  loop.turns_until(5, "descriptor 5");
  expect(loop.deadlines.wait_ms(loop.now) == -1, "without deadlines wait_ms() is -1", "it is not");
  loop.deadlines.set(7, 100ms);
  loop.deadlines.cancel(7);
  expect(loop.deadlines.wait_ms(loop.now) == -1, "a cancelled deadline is not waited for", "it is");
}

void what_is_late_comes_in_order() {
  Deadlines deadlines;
  deadlines.set(7, 3ms);
  deadlines.set(8, 1ms);
  deadlines.set(9, 2ms);
  expect(deadlines.wait_ms(Time(5ms)) == 0, "with deadlines in the past wait_ms() is 0",
         "it is " + std::to_string(deadlines.wait_ms(Time(5ms))));
  expect(deadlines.take_due(Time(5ms)) == std::vector{8, 9, 7}, "the earliest comes first",
         "they come in another order");
}

}  // namespace

void check() {
  sleeps_once();
  the_last_word_counts();
  what_is_late_comes_in_order();
}

}  // namespace muxlab::exercise
