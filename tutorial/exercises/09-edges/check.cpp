// The starter fails with: level_partial_reads: open
#include <sys/epoll.h>
#include <sys/socket.h>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/predicting.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

constexpr std::uint32_t kLevel = EPOLLIN;
constexpr std::uint32_t kEdge = EPOLLIN | EPOLLET;

/// A connected socket in an epoll instance.
class Scene {
 public:
  explicit Scene(std::uint32_t events) : events_(events) {
    checked(control(EPOLL_CTL_ADD), "epoll_ctl");
  }

  int control(int operation) {
    epoll_event event{.events = events_, .data = {.fd = pair_.near.get()}};
    return ::epoll_ctl(epoll_.get(), operation, pair_.near.get(), &event);
  }
  void modify() { checked(control(EPOLL_CTL_MOD), "epoll_ctl"); }

  void come(std::string_view bytes) const { send_now(pair_.far, bytes); }
  void read_one() const {
    char byte = 0;
    checked(static_cast<int>(::recv(pair_.near.get(), &byte, 1, 0)), "recv");
  }

  /// How many events there are now; what they are in `events`, if given.
  [[nodiscard]] int wait(std::uint32_t* events = nullptr) const {
    epoll_event event{};
    const int count = checked(::epoll_wait(epoll_.get(), &event, 1, 0), "epoll_wait");
    if (events != nullptr) *events = event.events;
    return count;
  }

 private:
  std::uint32_t events_;
  UniqueFd epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  Pair pair_ = unix_pair();
};

int partial_reads(std::uint32_t events) {
  const Scene scene(events);
  scene.come("abc");
  int reports = 0;
  for (int i = 0; i < 3; ++i) {
    if (scene.wait() == 0) continue;
    ++reports;
    scene.read_one();
  }
  return reports;
}

int two_writes_before_a_wait() {
  const Scene scene(kEdge);
  scene.come("a");
  scene.come("b");
  int reports = 0;
  for (int i = 0; i < 3; ++i) reports += scene.wait();
  return reports;
}

/// A byte has come and is reported; it was not read.
Scene reported_and_unread() {
  Scene scene(kEdge);
  scene.come("a");
  expect(scene.wait() == 1, "epoll_wait reports the first byte", "it does not");
  return scene;
}

int more_on_top_of_unread() {
  const Scene scene = reported_and_unread();
  scene.come("b");
  return scene.wait();
}

int modify_with(bool unread) {
  Scene scene = reported_and_unread();
  if (!unread) scene.read_one();
  scene.modify();
  return scene.wait();
}

Answer what_an_edge_reports() {
  const Scene scene(kEdge | EPOLLOUT);
  expect(scene.wait() == 1, "epoll_wait reports that there is room", "it does not");
  scene.come("a");
  std::uint32_t events = 0;
  static_cast<void>(scene.wait(&events));
  if (events == (EPOLLIN | EPOLLOUT)) return "IN OUT";
  return events == EPOLLIN ? "IN" : "OUT";
}

Answer add_again() {
  Scene scene = reported_and_unread();
  return outcome(scene.control(EPOLL_CTL_ADD));
}

}  // namespace

void check() {
  compare({
      {"level_partial_reads", partial_reads(kLevel), "as long as something is left to read"},
      {"edge_partial_reads", partial_reads(kEdge),
       "once for what came; that something is left is no news"},
      {"edge_two_writes_before_a_wait", two_writes_before_a_wait(),
       "edges are not counted: a descriptor is on the ready list or it is not"},
      {"edge_more_on_top_of_unread", more_on_top_of_unread(),
       "what comes on top of something unread is news too; but the last of it has nothing on top"},
      {"edge_modify_with_unread", modify_with(true),
       "to modify is to ask anew, and the answer is what is ready now"},
      {"edge_modify_with_nothing_unread", modify_with(false), "asked anew, and nothing is ready"},
      {"edge_reports", what_an_edge_reports(),
       "a change has it looked at, and then all is told that holds, not what changed"},
      {"edge_add_again", add_again(),
       "it is registered all the time: what it left is the list of those that are ready"},
  });
}

}  // namespace muxlab::exercise
