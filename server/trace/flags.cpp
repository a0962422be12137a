#include "server/trace/flags.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>

namespace muxlab::trace {
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
