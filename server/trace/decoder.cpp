#include "server/trace/decoder.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace muxlab::trace {
namespace {

constexpr std::array<Flag, 3> kEpollOperations = {
    {{EPOLL_CTL_ADD, "ADD"}, {EPOLL_CTL_DEL, "DEL"}, {EPOLL_CTL_MOD, "MOD"}}};
constexpr std::array<Flag, 3> kWays = {
    {{SHUT_RD, "SHUT_RD"}, {SHUT_WR, "SHUT_WR"}, {SHUT_RDWR, "SHUT_RDWR"}}};
constexpr std::array<Flag, 2> kRequests = {{{FIONREAD, "FIONREAD"}, {FIONBIO, "FIONBIO"}}};
constexpr std::array<Flag, 4> kOptions = {{{SO_ERROR, "SO_ERROR"},
                                           {SO_TYPE, "SO_TYPE"},
                                           {SO_RCVTIMEO, "SO_RCVTIMEO"},
                                           {SO_REUSEADDR, "SO_REUSEADDR"}}};
constexpr std::array<Flag, 3> kMessageFlags = {
    {{MSG_DONTWAIT, "DONTWAIT"}, {MSG_WAITALL, "WAITALL"}, {MSG_PEEK, "PEEK"}}};

/// Returns the n-th argument in its original type.
template <typename Type>
Type argument(const MadeCall& made, std::size_t n) {
  if constexpr (std::is_pointer_v<Type>) {
    return reinterpret_cast<Type>(made.arguments[n]);  // NOLINT(performance-no-int-to-ptr)
  } else {
    return static_cast<Type>(made.arguments[n]);
  }
}

std::size_t size_of(const iovec* parts, std::size_t count) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) size += parts[i].iov_len;
  return size;
}

bool is_in_set(const void* set, int fd) {
  constexpr int kBits = sizeof(unsigned long) * CHAR_BIT;
  const auto* const words = static_cast<const unsigned long*>(set);  // longer than an fd_set
  return (words[fd / kBits] >> (fd % kBits) & 1) != 0;
}

constexpr std::array<std::string_view, 4> kSetNames = {"", "read", "write", "except"};
constexpr std::array<std::string_view, 4> kSetEvents = {"", "readable", "writable", "exceptional"};

/// Adds the arguments after the descriptor: the size, and flags that change the call's behaviour.
void add_size(std::size_t size, std::uint64_t flags, TracedCall& call) {
  call.arguments.push_back(fmt::to_string(size));
  flags &= MSG_DONTWAIT | MSG_WAITALL | MSG_PEEK;
  if (flags != 0) call.arguments.push_back(bits_text(flags, kMessageFlags));
}

}  // namespace

TracedCall Decoder::begun(const MadeCall& made) {
  TracedCall call{.name = made.name, .call = made.call};
  if (call.name.starts_with("io_uring_")) {
    ask_ring(made, call);
  } else {
    ask(made, call);
  }
  return call;
}

void Decoder::ask(const MadeCall& made, TracedCall& call) {
  const std::string_view name = made.name;
  const auto fd = argument<int>(made, 0);
  const auto add = [&call](std::string text) { call.arguments.push_back(std::move(text)); };
  if (name == "poll") {
    add(polled(made));
    return add(fmt::to_string(argument<int>(made, 2)));
  }
  if (name == "select") {
    add(fmt::to_string(fd));
    for (std::size_t set = 1; set <= 3; ++set) {
      if (made.arguments[set] != 0) add(descriptors_of_set(made, set));
    }
    const auto* const timeout = argument<const timeval*>(made, 4);
    return add(timeout == nullptr
                   ? "NULL"
                   : fmt::format("{{{} s, {} us}}", timeout->tv_sec, timeout->tv_usec));
  }
  add(names_.of(fd));
  if (name == "epoll_wait" || name == "epoll_pwait") {
    add(fmt::to_string(argument<int>(made, 2)));
    add(fmt::to_string(argument<int>(made, 3)));
  } else if (name == "epoll_ctl") {
    ask_epoll_ctl(made, call);
  } else if (name == "recv" || name == "send") {
    add_size(argument<std::size_t>(made, 2), made.arguments[3], call);
  } else if (name == "read" || name == "write") {
    add_size(argument<std::size_t>(made, 2), 0, call);
  } else if (name == "readv" || name == "writev") {
    const auto* const parts = argument<const iovec*>(made, 1);
    add_size(size_of(parts, argument<std::size_t>(made, 2)), 0, call);
  } else if (name == "recvmsg" || name == "sendmsg") {
    const auto* const message = argument<const msghdr*>(made, 1);
    add_size(size_of(message->msg_iov, message->msg_iovlen), made.arguments[2], call);
  } else if (name == "shutdown") {
    add(value_text(made.arguments[1], kWays));
  } else if (name == "ioctl") {
    add(value_text(made.arguments[1], kRequests));
  } else if (name == "getsockopt" || name == "setsockopt") {
    const bool is_general = argument<int>(made, 1) == SOL_SOCKET;
    add(is_general ? value_text(made.arguments[2], kOptions)
                   : fmt::format("level {}, {}", made.arguments[1], made.arguments[2]));
  }
}

void Decoder::ask_epoll_ctl(const MadeCall& made, TracedCall& call) {
  const auto operation = argument<int>(made, 1);
  const auto fd = argument<int>(made, 2);
  call.arguments.push_back(value_text(made.arguments[1], kEpollOperations));
  call.arguments.push_back(names_.of(fd));
  const auto* const event = argument<const epoll_event*>(made, 3);
  if (operation == EPOLL_CTL_DEL || event == nullptr) return;
  call.arguments.push_back(epoll_events(event->events));
  registered_[{argument<int>(made, 0), event->data.u64}] = fd;
}

std::string Decoder::polled(const MadeCall& made) {
  const auto* const fds = argument<const pollfd*>(made, 0);
  std::string text;
  for (std::size_t i = 0; i < made.arguments[1]; ++i) {
    if (fds[i].fd < 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", names_.of(fds[i].fd),
                        poll_events(static_cast<std::uint16_t>(fds[i].events)));
  }
  return '{' + text + '}';
}

std::string Decoder::descriptors_of_set(const MadeCall& made, std::size_t set) {
  std::string text;
  for (int fd = 0; fd < argument<int>(made, 0); ++fd) {
    if (!is_in_set(argument<const void*>(made, set), fd)) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", names_.of(fd));
  }
  return fmt::format("{} {{{}}}", kSetNames[set], text);
}

void Decoder::returned(const MadeCall& made, std::int64_t result, int error, TracedCall& call) {
  const bool is_ring = std::string_view(made.name).starts_with("io_uring_");
  call.result = result;
  if (result < 0) call.error = is_ring ? static_cast<int>(-result) : error;
  call.returned = result < 0 ? errno_name(call.error) : fmt::to_string(result);
  if (is_ring) return complete(made, call);
  if (result < 0) return;
  if (made.call == Call::accept) {
    names_.accepted(static_cast<int>(result));
    call.returned = names_.of(static_cast<int>(result));
  } else if (std::string_view(made.name) == "close") {
    names_.closed(argument<int>(made, 0));
  } else if (std::string_view(made.name) == "ioctl" && made.arguments[1] == FIONREAD) {
    call.returned += fmt::format(": {} bytes", *argument<const int*>(made, 2));
  } else if (made.call == Call::wait) {
    bring(made, call);
  }
}

void Decoder::bring(const MadeCall& made, TracedCall& call) {
  const std::string_view name = made.name;
  if (name == "poll") {
    const auto* const fds = argument<const pollfd*>(made, 0);
    for (std::size_t i = 0; i < made.arguments[1]; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      add_ready(call, fds[i].fd, poll_events(static_cast<std::uint16_t>(fds[i].revents)));
    }
  } else if (name == "select") {
    for (std::size_t set = 1; set <= 3; ++set) {
      for (int fd = 0; made.arguments[set] != 0 && fd < argument<int>(made, 0); ++fd) {
        if (!is_in_set(argument<const void*>(made, set), fd)) continue;
        add_ready(call, fd, std::string(kSetEvents[set]));
      }
    }
  } else {
    const auto* const events = argument<const epoll_event*>(made, 1);
    for (std::int64_t i = 0; i < call.result; ++i) {
      const epoll_event event = events[i];  // a copy, because references cannot bind to packed data
      const auto known = registered_.find({argument<int>(made, 0), event.data.u64});
      add_ready(call, known != registered_.end() ? known->second : -1, epoll_events(event.events));
    }
  }
}

void Decoder::add_ready(TracedCall& call, int fd, std::string events) {
  call.brings.push_back({.descriptor = names_.of(fd), .fd = fd, .events = std::move(events)});
}

namespace {

/// The start of a descriptor's target in /proc/self/fd, and our name for its kind.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kKinds = {{
    {"anon_inode:[eventpoll]", "epoll"},
    {"anon_inode:[eventfd]", "eventfd"},
    {"anon_inode:[timerfd]", "timerfd"},
    {"anon_inode:[io_uring]", "ring"},
    {"socket:", "socket"},
    {"pipe:", "pipe"},
}};

std::string kind_of(int fd) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
  for (const auto& [begin, kind] : kKinds) {
    if (target.native().starts_with(begin)) return std::string(kind);
  }
  return target.is_absolute() ? target.native() : "fd";
}

}  // namespace

void DescriptorNames::give(int fd, std::string name) {
  names_[fd] = name;
  all_.emplace_back(std::move(name), fd);
}

void DescriptorNames::accepted(int fd) {
  if (connecting_.empty()) return;
  give(fd, std::move(connecting_.front()));
  connecting_.pop_front();
}

std::string DescriptorNames::of(int fd) {
  if (fd < 0) return fmt::to_string(fd);
  const auto known = names_.find(fd);
  if (known != names_.end()) return known->second;
  std::string word = kind_of(fd);
  if (const int number = ++count_[word]; number > 1) word += fmt::to_string(number);
  give(fd, word);
  return word;
}

namespace {

constexpr std::array<Flag, 10> kEpollEvents = {{{EPOLLIN, "IN"},
                                                {EPOLLPRI, "PRI"},
                                                {EPOLLOUT, "OUT"},
                                                {EPOLLERR, "ERR"},
                                                {EPOLLHUP, "HUP"},
                                                {EPOLLRDHUP, "RDHUP"},
                                                {EPOLLEXCLUSIVE, "EXCLUSIVE"},
                                                {EPOLLWAKEUP, "WAKEUP"},
                                                {EPOLLONESHOT, "ONESHOT"},
                                                {std::uint32_t{EPOLLET}, "ET"}}};

constexpr std::array<Flag, 11> kPollEvents = {{{POLLIN, "IN"},
                                               {POLLPRI, "PRI"},
                                               {POLLOUT, "OUT"},
                                               {POLLERR, "ERR"},
                                               {POLLHUP, "HUP"},
                                               {POLLNVAL, "NVAL"},
                                               {POLLRDNORM, "RDNORM"},
                                               {POLLRDBAND, "RDBAND"},
                                               {POLLWRNORM, "WRNORM"},
                                               {POLLWRBAND, "WRBAND"},
                                               {POLLRDHUP, "RDHUP"}}};

}  // namespace

std::string bits_text(std::uint64_t bits, std::span<const Flag> flags) {
  std::string text;
  for (const Flag& flag : flags) {
    if ((bits & flag.value) == 0) continue;
    text += fmt::format("{}{}", text.empty() ? "" : "|", flag.name);
    bits &= ~flag.value;
  }
  if (bits != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : "|", bits);
  return text.empty() ? "0" : text;
}

std::string value_text(std::uint64_t value, std::span<const Flag> flags) {
  const auto found = std::ranges::find(flags, value, &Flag::value);
  return found != flags.end() ? std::string(found->name) : fmt::to_string(value);
}

std::string epoll_events(std::uint32_t events) { return bits_text(events, kEpollEvents); }
std::string poll_events(std::uint32_t events) { return bits_text(events, kPollEvents); }

}  // namespace muxlab::trace
