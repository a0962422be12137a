#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <array>
#include <cstring>
#include <string>

#include "tutorial/programs/bytes.hpp"

/// epoll_files: which kinds of descriptors epoll takes, and what poll says of those that it does
/// not take: always ready, whatever a read() would have to wait for.
using namespace tutorial;

namespace {

std::string with_epoll(int fd) {
  const Fd epoll(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = fd}};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &wanted) < 0) return ::strerrorname_np(errno);
  epoll_event event{};
  return ::epoll_wait(epoll.get(), &event, 1, 0) > 0 ? "ready" : "not ready";
}

std::string with_poll(int fd) {
  pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
  return check(::poll(&waited, 1, 0), "poll") > 0 ? "ready" : "not ready";
}

void row(const char* kind, const Fd& fd) {
  say("{:<34}{:<12}{}", kind, with_epoll(fd.get()), with_poll(fd.get()));
}

Fd open_path(const char* path, int flags = 0) {
  return Fd(check(::open(path, O_RDONLY | O_CLOEXEC | flags), path));
}

void show_kinds() {
  say("{:<34}{:<12}{}", "nothing to read from:", "epoll", "poll");
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  row("a pipe", reader);
  row("a listening socket", listen_on(0));
  row("an eventfd", Fd(check(::eventfd(0, EFD_CLOEXEC), "eventfd")));
  row("a timerfd", Fd(check(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create")));
  row("an epoll descriptor", Fd(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")));
  row("a regular file, empty", make_file(""));
  row("a directory", open_path("/", O_DIRECTORY));
  row("/dev/null", open_path("/dev/null"));
  say("{:<34}{:<12}{}", "something to read from:", "epoll", "poll");
  check(::write(writer.get(), "!", 1), "write");
  row("a pipe", reader);
  row("a regular file", make_file("content"));
  row("/dev/zero", open_path("/dev/zero"));
}

/// That poll calls a file ready means that read() will not wait for somebody to write more, as on a
/// pipe: at the end of a file there is nothing to wait for. It may wait for the disk all the same.
void show_end_of_file() {
  const Fd file = make_file("content");
  std::array<char, 16> buffer{};
  for (const char* where : {"at its begin", "at its end"}) {
    const std::string ready = with_poll(file.get());
    const ssize_t size = check(::read(file.get(), buffer.data(), buffer.size()), "read");
    say("a regular file {}: poll says {}, read() returns {}", where, ready, size);
  }
}

}  // namespace

int main() try {
  show_kinds();
  show_end_of_file();
} catch (const std::exception& error) {
  fmt::print(stderr, "epoll_files: {}\n", error.what());
  return 1;
}
