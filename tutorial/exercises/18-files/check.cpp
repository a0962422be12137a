// The starter fails with: file: open
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/predicting.hpp"

namespace muxlab::exercise {
namespace {

constexpr const char* kFile = "/proc/self/exe";

UniqueFd open_to_read(const char* path, int flags = 0) {
  return UniqueFd(checked(::open(path, O_RDONLY | O_CLOEXEC | flags), path));
}

UniqueFd new_epoll() { return UniqueFd(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")); }

Answer added(const UniqueFd& epoll, const UniqueFd& watched) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = watched.get()}};
  return outcome(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, watched.get(), &event));
}

Answer read_at_the_end() {
  const UniqueFd file = open_to_read(kFile, O_NONBLOCK);
  if (::lseek(file.get(), 0, SEEK_END) < 0) throw_errno("lseek");
  char byte = 0;
  const ssize_t bytes = ::read(file.get(), &byte, 1);
  return bytes < 0 ? Answer(errno_name(errno)) : Answer(bytes);
}

}  // namespace

void check() {
  const UniqueFd epoll = new_epoll();
  const UniqueFd timer(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create"));
  compare({
      {"file", added(epoll, open_to_read(kFile)),
       "a file has nothing to be told of: it would always be ready"},
      {"file_nonblocking", added(epoll, open_to_read(kFile, O_NONBLOCK)),
       "O_NONBLOCK changes nothing for a file: read() sleeps until the disk has answered"},
      {"directory", added(epoll, open_to_read("/")), "as a file"},
      {"null_device", added(epoll, open_to_read("/dev/null")),
       "its driver has no poll operation: not every device can be waited for"},
      {"timer", added(epoll, timer), "made to be waited for, as are eventfd and signalfd"},
      {"other_epoll", added(epoll, new_epoll()),
       "readable when it has something to report: instances nest"},
      {"same_epoll", added(epoll, epoll), "it cannot wait for itself"},
      {"read_at_the_end", read_at_the_end(),
       "the end, not EAGAIN: to follow a file that grows takes inotify(7)"},
  });
}

}  // namespace muxlab::exercise
