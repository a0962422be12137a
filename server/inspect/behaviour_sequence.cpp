#include "server/inspect/behaviour_sequence.hpp"

#include <fmt/format.h>

#include <array>

namespace muxlab::behaviour {
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
