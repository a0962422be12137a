// The starter fails with: something came on it again: the first is reported
#include <algorithm>

#include "tutorial/exercises/04-select-set/selector.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

struct Watched {
  const char* name;
  Pair pair;
};

void expect_ready(Selector& selector, const std::vector<const Watched*>& wanted,
                  const std::string& situation) {
  std::string names;
  std::vector<int> fds;
  for (const Watched* each : wanted) {
    names += std::string(names.empty() ? "" : " and ") + each->name;
    fds.push_back(each->pair.near.get());
  }
  std::vector<int> found = selector.ready_now();
  std::ranges::sort(fds);
  std::ranges::sort(found);
  expect(found == fds, situation + ": " + (names.empty() ? "none" : names) + " is reported",
         found.empty() ? "nothing is reported"
                       : std::to_string(found.size()) + " descriptors are reported, not this");
}

void take(const Watched& watched) { receive_now(watched.pair.near); }

}  // namespace

void check() {
  const Watched first{.name = "the first", .pair = unix_pair()};
  const Watched second{.name = "the second", .pair = unix_pair()};
  Selector selector;
  for (const Watched* each : {&first, &second}) selector.add(each->pair.near.get());

  send_now(first.pair.far, "x");
  expect_ready(selector, {&first}, "something came on the first descriptor");
  take(first);
  expect_ready(selector, {}, "all is read");
  send_now(first.pair.far, "x");
  expect_ready(selector, {&first}, "something came on it again");
  take(first);
  send_now(second.pair.far, "x");
  expect_ready(selector, {&second}, "something came on the second, the highest, silent until now");
  send_now(first.pair.far, "x");
  expect_ready(selector, {&first, &second}, "something came on both");
  selector.remove(second.pair.near.get());
  expect_ready(selector, {&first}, "the second is no longer watched");
}

}  // namespace muxlab::exercise
