#include "server/inspect/behaviour_watcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/inspect/behaviour_socket.hpp"

namespace muxlab::behaviour {
namespace {

using Report = Watcher::Report;

struct EventName {
  unsigned bit;
  std::string_view name;
};
constexpr std::array kEventNames = {
    EventName{POLLIN, "IN"},       EventName{POLLPRI, "PRI"}, EventName{POLLOUT, "OUT"},
    EventName{POLLRDHUP, "RDHUP"}, EventName{POLLERR, "ERR"}, EventName{POLLHUP, "HUP"},
    EventName{POLLNVAL, "NVAL"},
};

unsigned asked(bool asks_write) {
  return POLLIN | POLLPRI | POLLRDHUP | (asks_write ? POLLOUT : 0U);
}

class SelectWatcher final : public Watcher {
 public:
  void watch(int fd, bool asks_write) override {
    if (fd >= FD_SETSIZE) throw std::system_error(EBADF, std::system_category(), "FD_SETSIZE");
    fd_ = fd;
    asks_write_ = asks_write;
  }
  Report wait() override {
    fd_set readable, writable, exceptional;
    for (fd_set* set : {&readable, &writable, &exceptional}) {
      FD_ZERO(set);
      FD_SET(fd_, set);
    }
    timeval none{};
    const int count =
        ::select(fd_ + 1, &readable, asks_write_ ? &writable : nullptr, &exceptional, &none);
    if (count < 0) return {{}, "select " + error_name(errno)};
    std::vector<std::string_view> names;
    if (FD_ISSET(fd_, &readable)) names.push_back("R");
    if (asks_write_ && FD_ISSET(fd_, &writable)) names.push_back("W");
    if (FD_ISSET(fd_, &exceptional)) names.push_back("X");
    if (names.empty()) return {};
    return {{fmt::format("{}", fmt::join(names, " "))}, ""};
  }

 private:
  int fd_ = -1;
  bool asks_write_ = true;
};

class PollWatcher final : public Watcher {
 public:
  void watch(int fd, bool asks_write) override {
    watched_ = {.fd = fd, .events = static_cast<short>(asked(asks_write)), .revents = 0};
  }
  Report wait() override {
    const int count = ::poll(&watched_, 1, 0);
    if (count < 0) return {{}, "poll " + error_name(errno)};
    if (count == 0) return {};
    return {{event_names(static_cast<unsigned short>(watched_.revents))}, ""};
  }

 private:
  pollfd watched_{};
};

/// Registers the asked events and `mode`; only `mode` without `asks`.
class EpollWatcher final : public Watcher {
 public:
  explicit EpollWatcher(unsigned mode, bool asks = true) : mode_(mode), asks_(asks) {}
  void watch(int fd, bool asks_write) override {
    fd_ = fd;
    events_ = (asks_ ? asked(asks_write) : 0) | mode_;
    control(EPOLL_CTL_ADD);
  }
  Report wait() override {
    std::array<epoll_event, 4> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
    if (count < 0) return {{}, "epoll_wait " + error_name(errno)};
    Report report;
    for (int i = 0; i < count; ++i) {
      report.events.push_back(event_names(events[static_cast<std::size_t>(i)].events));
    }
    return report;
  }
  bool rearm() override {
    control(EPOLL_CTL_MOD);
    return true;
  }

 private:
  void control(int operation) {
    epoll_event event{.events = events_, .data = {.fd = fd_}};
    checked(::epoll_ctl(epoll_.get(), operation, fd_, &event), "epoll_ctl");
  }

  UniqueFd epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  unsigned mode_;
  bool asks_;
  int fd_ = -1;
  unsigned events_ = 0;
};

std::unique_ptr<Watcher> level() { return std::make_unique<EpollWatcher>(0); }
std::unique_ptr<Watcher> edge() { return std::make_unique<EpollWatcher>(EPOLLET); }
std::unique_ptr<Watcher> one_shot() { return std::make_unique<EpollWatcher>(EPOLLONESHOT); }
std::unique_ptr<Watcher> unasked() { return std::make_unique<EpollWatcher>(0, false); }
std::unique_ptr<Watcher> by_select() { return std::make_unique<SelectWatcher>(); }
std::unique_ptr<Watcher> by_poll() { return std::make_unique<PollWatcher>(); }

constexpr Column kSelect{"select", "select(2): readable, writable, exceptional", by_select};
constexpr Column kPoll{"poll", "poll(2): IN, PRI, OUT, RDHUP", by_poll};
constexpr Column kLevel{"epoll-lt", "epoll(7), level-triggered: as poll", level};
constexpr Column kEdge{"epoll-et", "epoll(7), EPOLLET: as poll, once per change", edge};
constexpr Column kOneShot{"epoll-oneshot", "epoll(7), EPOLLONESHOT: once, then not until MOD",
                          one_shot};
constexpr Column kUnasked{kUnaskedColumn, "epoll(7), asked for nothing", unasked};
constexpr Column kRing{"io-uring-poll",
                       "io_uring, multishot poll request: as poll, once per change",
                       make_ring_watcher};
constexpr Column kLibevent{"libevent", "libevent on epoll: READ, WRITE, CLOSED, persistent",
                           make_libevent_watcher};

constexpr std::array kStateColumns = {kSelect, kPoll, kLevel, kEdge, kRing, kLibevent, kUnasked};
constexpr std::array kSequenceColumns = {kSelect, kPoll, kLevel, kEdge, kOneShot, kRing, kLibevent};

}  // namespace

std::span<const Column> state_columns() { return kStateColumns; }
std::span<const Column> sequence_columns() { return kSequenceColumns; }

std::string event_names(unsigned events) {
  std::vector<std::string_view> names;
  for (const EventName& known : kEventNames) {
    if ((events & known.bit) != 0) names.push_back(known.name);
  }
  return fmt::format("{}", fmt::join(names, " "));
}

}  // namespace muxlab::behaviour
