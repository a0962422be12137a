// The starter fails with: closed: open
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/predicting.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

/// An epoll instance that watches a socket with something to receive.
struct Scene {
  Scene() {
    send_now(watched.far, "x");
    add(watched.near.get());
  }

  [[nodiscard]] Answer control(int operation, int fd) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    return outcome(::epoll_ctl(epoll.get(), operation, fd, &event));
  }
  Answer add(int fd) const { return control(EPOLL_CTL_ADD, fd); }
  [[nodiscard]] Answer remove(int fd) const { return control(EPOLL_CTL_DEL, fd); }

  [[nodiscard]] Answer events() const {
    std::array<epoll_event, 8> reported{};
    return checked(::epoll_wait(epoll.get(), reported.data(), reported.size(), 0), "epoll_wait");
  }

  /// Closes the number that was added, while the open file lives on under another.
  UniqueFd close_but_keep_duplicate() {
    UniqueFd duplicate(checked(::fcntl(watched.near.get(), F_DUPFD_CLOEXEC, 0), "fcntl"));
    watched.near.reset();
    return duplicate;
  }

  UniqueFd epoll{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  Pair watched = unix_pair();
};

Answer closed() {
  Scene scene;
  scene.watched.near.reset();
  return scene.events();
}

Answer closed_with_duplicate() {
  Scene scene;
  const UniqueFd duplicate = scene.close_but_keep_duplicate();
  return scene.events();
}

Answer remove_closed() {
  Scene scene;
  const int number = scene.watched.near.get();
  const UniqueFd duplicate = scene.close_but_keep_duplicate();
  return scene.remove(number);
}

Answer remove_duplicate() {
  Scene scene;
  const UniqueFd duplicate = scene.close_but_keep_duplicate();
  return scene.remove(duplicate.get());
}

struct Reuse {
  Answer added;
  Answer events;
};

Reuse add_the_number_anew() {
  Scene scene;
  const Pair other = unix_pair();
  send_now(other.far, "x");
  const int number = scene.watched.near.get();
  const UniqueFd duplicate = scene.close_but_keep_duplicate();
  const UniqueFd reused(checked(::dup3(other.near.get(), number, O_CLOEXEC), "dup3"));
  const Answer added = scene.add(number);
  return {.added = added, .events = scene.events()};
}

Answer add_twice() {
  const Scene scene;
  return scene.add(scene.watched.near.get());
}

}  // namespace

void check() {
  const Reuse reuse = add_the_number_anew();
  compare({
      {"closed", closed(), "with its last descriptor the open file goes, and out of epoll"},
      {"closed_with_duplicate", closed_with_duplicate(),
       "epoll watches the open file, which lives on: the event names a number that is closed"},
      {"remove_closed", remove_closed(),
       "the number means nothing any more: too late to remove it"},
      {"remove_duplicate", remove_duplicate(),
       "the entry is kept under the file and the number that it was added with"},
      {"add_the_number_anew", reuse.added, "the same number, but another file: another entry"},
      {"events_after_that", reuse.events,
       "both files are reported, under one number: remove before you close"},
      {"add_twice", add_twice(), "the same file and the same number is one entry: modify it"},
  });
}

}  // namespace muxlab::exercise
