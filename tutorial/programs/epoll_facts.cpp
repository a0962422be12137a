#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tutorial/programs/sockets.hpp"

/// epoll_facts: what is often told of epoll, select and poll, tried out on this kernel. Each line
/// is one call and what it returned.
using namespace tutorial;

namespace {

void show(const char* call, long returned) {
  const std::string error = returned < 0 ? fmt::format(" {}", ::strerrorname_np(errno)) : "";
  say("  {:<52} = {}{}", call, returned, error);
}

struct Pipe {
  Fd reader, writer;
  void write_byte() const { check(::write(writer.get(), "!", 1), "write"); }
};

/// With a byte to read in it.
Pipe make_pipe() {
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  Pipe pipe{.reader = Fd(ends[0]), .writer = Fd(ends[1])};
  pipe.write_byte();
  return pipe;
}

int control(const Fd& epoll, int operation, const Pipe& pipe, std::uint32_t events) {
  const int fd = pipe.reader.get();
  epoll_event event{.events = events, .data = {.fd = fd}};
  return ::epoll_ctl(epoll.get(), operation, fd, &event);
}

/// An epoll instance that watches one end of `pipe`.
Fd watch(const Pipe& pipe, std::uint32_t events) {
  Fd epoll(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  check(control(epoll, EPOLL_CTL_ADD, pipe, events), "epoll_ctl");
  return epoll;
}

/// How many descriptors are reported now.
int wait(const Fd& epoll) {
  epoll_event event{};
  return ::epoll_wait(epoll.get(), &event, 1, 0);
}

void no_shared_memory() {
  say("epoll shares no memory with the program: the call copies the events out");
  const Pipe pipe = make_pipe();
  const Fd epoll = watch(pipe, EPOLLIN);
  constexpr std::size_t kPage = 4096;
  const void* const shared = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, epoll.get(), 0);
  show("mmap(the epoll descriptor)", shared == MAP_FAILED ? -1 : 0);
  void* const page = ::mmap(nullptr, kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) check(-1, "mmap");
  auto* const events = static_cast<epoll_event*>(page);
  show("epoll_wait(into a page that nobody may write)", ::epoll_wait(epoll.get(), events, 1, 0));
  check(::mprotect(page, kPage, PROT_READ | PROT_WRITE), "mprotect");
  show("epoll_wait(into the same page, made writable)", ::epoll_wait(epoll.get(), events, 1, 0));
  check(::munmap(page, kPage), "munmap");
}

void level_reports_again() {
  say("level-triggered: reported as long as there is something to read");
  const Pipe pipe = make_pipe();
  const Fd epoll = watch(pipe, EPOLLIN);
  show("epoll_wait() with a byte to read", wait(epoll));
  show("epoll_wait() again, the byte not read", wait(epoll));
  char byte = 0;
  check(::read(pipe.reader.get(), &byte, 1), "read");
  show("epoll_wait() after it was read", wait(epoll));
}

void show_registered(const Fd& epoll) {
  std::ifstream info(fmt::format("/proc/self/fdinfo/{}", epoll.get()));
  int registered = 0;
  for (std::string line; std::getline(info, line);) registered += line.starts_with("tfd:");
  show("descriptors in /proc/self/fdinfo/EPOLL", registered);
}

void edge_stays_registered() {
  say("edge-triggered: reported once for each arrival, and registered all the time");
  const Pipe pipe = make_pipe();
  const Fd epoll = watch(pipe, EPOLLIN | EPOLLET);
  show("epoll_wait() with a byte to read", wait(epoll));
  show("epoll_wait() again, the byte not read", wait(epoll));
  show_registered(epoll);
  show("epoll_ctl(ADD) of the same descriptor", control(epoll, EPOLL_CTL_ADD, pipe, EPOLLIN));
  pipe.write_byte();
  show("epoll_wait() after one more byte, still none read", wait(epoll));
  check(control(epoll, EPOLL_CTL_MOD, pipe, EPOLLIN | EPOLLET), "epoll_ctl");
  show("epoll_wait() after epoll_ctl(MOD), no new byte", wait(epoll));
}

void beyond_1024() {
  say("select and poll beyond descriptor {}", FD_SETSIZE - 1);
  constexpr int kHigh = 1500;
  constexpr rlim_t kEntries = 2000;
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = std::max(limit.rlim_cur, kEntries);
  if (limit.rlim_cur > limit.rlim_max) return say("  not shown: ulimit -Hn is too low");
  check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  const Pipe pipe = make_pipe();
  const Fd high(check(::dup3(pipe.reader.get(), kHigh, O_CLOEXEC), "dup3"));
  // FD_SET() writes into an fd_set of fixed size; the kernel takes as many bits as it is told.
  std::vector<fd_mask> bits(kHigh / NFDBITS + 1);
  bits[kHigh / NFDBITS] |= fd_mask{1} << (kHigh % NFDBITS);
  auto* const set = reinterpret_cast<fd_set*>(bits.data());
  timeval at_once{};
  show("select(1501, bits of our own)", ::select(kHigh + 1, set, nullptr, nullptr, &at_once));
  std::vector<pollfd> many(kEntries, {.fd = high.get(), .events = POLLIN, .revents = 0});
  show("poll(2000 entries, each the descriptor 1500)", ::poll(many.data(), many.size(), 0));
}

void closed_but_reported() {
  say("registered is the open file, not its number: a duplicate keeps it alive");
  Pipe pipe = make_pipe();
  const Fd epoll = watch(pipe, EPOLLIN);
  const int fd = pipe.reader.get();
  const Fd duplicate(check(::fcntl(fd, F_DUPFD_CLOEXEC, 0), "fcntl"));
  pipe.reader.reset();
  show("epoll_wait() after close() of the descriptor", wait(epoll));
  show("epoll_ctl(DEL) of the closed descriptor",
       ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr));
}

}  // namespace

int main() try {
  no_shared_memory();
  level_reports_again();
  edge_stays_registered();
  closed_but_reported();
  beyond_1024();
} catch (const std::exception& error) {
  fmt::print(stderr, "epoll_facts: {}\n", error.what());
  return 1;
}
