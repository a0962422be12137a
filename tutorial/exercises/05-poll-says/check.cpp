// The starter fails with: data_and_end: open
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "backends/parts/failure.hpp"
#include "tutorial/exercises/checking.hpp"
#include "tutorial/exercises/predicting.hpp"
#include "tutorial/exercises/sockets.hpp"

namespace muxlab::exercise {
namespace {

Answer names_of(short events) {
  static constexpr std::array kNames = {std::pair(POLLIN, "IN"),       std::pair(POLLOUT, "OUT"),
                                        std::pair(POLLRDHUP, "RDHUP"), std::pair(POLLERR, "ERR"),
                                        std::pair(POLLHUP, "HUP"),     std::pair(POLLNVAL, "NVAL")};
  std::string names;
  for (const auto& [bit, name] : kNames) {
    if ((events & bit) != 0) names += std::string(names.empty() ? "" : " ") + name;
  }
  return names.empty() ? "-" : names;
}

Answer polled(int fd, short events) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  checked(::poll(&entry, 1, 0), "poll");
  return names_of(entry.revents);
}

/// A number that was a descriptor until just now.
int closed_descriptor() { return unix_pair().near.get(); }

Answer data_and_end() {
  const Pair pair = unix_pair();
  send_now(pair.far, "four");
  checked(::shutdown(pair.far.get(), SHUT_WR), "shutdown");
  return polled(pair.near.get(), POLLIN);
}

Answer asked_for_nothing() {
  Pair pair = unix_pair();
  pair.far.reset();
  return polled(pair.near.get(), 0);
}

Answer pipe_without_writer() {
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd(ends[1]).reset();
  return polled(reader.get(), POLLIN);
}

Answer file_at_its_end() {
  const UniqueFd file(checked(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "open"));
  checked(static_cast<int>(::lseek(file.get(), 0, SEEK_END) >= 0 ? 0 : -1), "lseek");
  return polled(file.get(), POLLIN | POLLOUT);
}

Answer what_it_returns() {
  const Pair readable = unix_pair();
  const Pair idle = unix_pair();
  send_now(readable.far, "x");
  std::array entries = {
      pollfd{.fd = readable.near.get(), .events = POLLIN, .revents = 0},
      pollfd{.fd = idle.near.get(), .events = POLLIN, .revents = 0},
      pollfd{.fd = closed_descriptor(), .events = POLLIN, .revents = 0},
  };
  return checked(::poll(entries.data(), entries.size(), 0), "poll");
}

}  // namespace

void check() {
  compare({
      {"data_and_end", data_and_end(),
       "the end is readable like data; RDHUP would tell it apart, but is told only to who asks"},
      {"asked_for_nothing", asked_for_nothing(),
       "HUP, ERR and NVAL come unasked: events = 0 does not silence a descriptor"},
      {"pipe_without_writer", pipe_without_writer(),
       "a pipe's end is hung up and not readable: a loop that looks at IN alone never sees it"},
      {"closed", polled(closed_descriptor(), POLLIN),
       "the entry is to blame and the call is fine, while select(2) fails as a whole"},
      {"negative", polled(-1, POLLIN), "such an entry is passed over: a way to pause one in place"},
      {"file_at_its_end", file_at_its_end(),
       "a regular file is always ready: read() would not wait for more to be written, but return "
       "0"},
      {"returns", what_it_returns(), "the number of entries with something in revents, NVAL too"},
  });
}

}  // namespace muxlab::exercise
