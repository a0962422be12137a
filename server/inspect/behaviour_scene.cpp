#include "server/inspect/behaviour_scene.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "server/inspect/behaviour_socket.hpp"

namespace muxlab::behaviour {
namespace {

using Lines = std::vector<std::string>;

/// Receives twice, because the kernel reports an error once.
Lines call_socket(int fd) {
  std::array<char, 64> buffer{};
  const auto receive = [&] {
    return "recv " + show_received(::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT));
  };
  const auto send = [&] {
    return "send " + show_sent(::send(fd, "?", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
  };
  return {receive(), receive(), send()};
}

Lines call_file(int fd) {
  std::array<char, 64> buffer{};
  return {"read " + show_received(::read(fd, buffer.data(), buffer.size())),
          "write " + show_sent(::write(fd, "?", 1))};
}

Lines call_event_counter(int fd) {
  std::uint64_t count = 0;
  const auto read = [&] { return "read " + show_received(::read(fd, &count, sizeof count)); };
  const std::uint64_t one = 1;
  Lines lines = {"write " + show_sent(::write(fd, &one, sizeof one))};
  lines.push_back(read());
  lines.push_back(read());
  return lines;
}

Lines call_accept(int fd) {
  const UniqueFd accepted(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!accepted) return {"accept " + error_name(errno)};
  Lines lines = {"accept works"};
  char byte = 0;
  lines.push_back("recv " + show_received(::recv(accepted.get(), &byte, 1, 0)));
  return lines;
}

}  // namespace

std::vector<State> states() {
  std::vector<State> all;
  for (const auto part : {connection_states(), listener_states(), other_states()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<std::string> call_next(int fd, NextCalls calls) {
  switch (calls) {
    case NextCalls::socket:
      return call_socket(fd);
    case NextCalls::file:
      return call_file(fd);
    case NextCalls::event_counter:
      return call_event_counter(fd);
    case NextCalls::accept:
      return call_accept(fd);
  }
  return {};
}

namespace {

constexpr Step kWait{Action::wait};
constexpr Step kRearm{Action::rearm};
constexpr Step kPeerEnds{Action::peer_ends};
constexpr Step sends(std::size_t bytes) { return {Action::peer_sends, bytes}; }
constexpr Step receive(std::size_t bytes) { return {Action::receive, bytes}; }

const std::array all_sequences = {
    Sequence{"partial read",
             "Level-triggered says again what is left. Edge-triggered does not: who stops early "
             "waits for ever, unless more comes. io_uring passes on what TCP wakes it with, which "
             "always "
             "names PRI.",
             "epoll(7)",
             {sends(4), kWait, receive(2), kWait, sends(1), kWait, receive(8)}},
    Sequence{"two writes before one wait",
             "Events are not counted: two writes are one report, edge-triggered or not.",
             "epoll(7)",
             {sends(2), sends(2), kWait, kWait, receive(8), kWait}},
    Sequence{
        "drained, and more comes",
        "A short read means drained: the next byte is a new edge. No second receive is needed.",
        "epoll(7)",
        {sends(1), kWait, receive(8), kWait, sends(1), kWait, receive(8)}},
    Sequence{
        "data and end of stream in one edge",
        "RDHUP in the report is the only word of the end: a single receive takes the data, and "
        "no further edge will come.",
        "epoll_ctl(2)",
        {sends(4), kPeerEnds, kWait, receive(8), kWait, receive(8)}},
    Sequence{
        "one shot, and its re-arm",
        "After its report a one-shot watch is off, for hang-ups too. To arm it again reports at "
        "once what is still there.",
        "epoll_ctl(2)",
        {sends(4), kWait, kWait, receive(2), kWait, kPeerEnds, kWait, kRearm, kWait}},
    Sequence{"to modify is to ask anew",
             "EPOLL_CTL_MOD with the same mask delivers again what was delivered, and nothing when "
             "nothing is there.",
             "epoll_ctl(2)",
             {sends(4), kWait, kWait, kRearm, kWait, receive(8), kRearm, kWait}},
};

}  // namespace

std::span<const Sequence> sequences() { return all_sequences; }

std::string describe(const Step& step) {
  switch (step.action) {
    case Action::peer_sends:
      return fmt::format("peer sends {}", step.amount);
    case Action::peer_ends:
      return "peer ends its side";
    case Action::receive:
      return fmt::format("recv up to {}", step.amount);
    case Action::wait:
      return "wait";
    case Action::rearm:
      return "arm again";
  }
  return "";
}

}  // namespace muxlab::behaviour
