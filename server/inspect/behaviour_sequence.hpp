#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What is reported in the course of time: the same steps on one TCP connection, in each column.
namespace muxlab::behaviour {

enum class Action : std::uint8_t {
  peer_sends,  ///< `amount` bytes
  peer_ends,
  receive,  ///< up to `amount` bytes
  wait,
  rearm,
};

struct Step {
  Action action;
  std::size_t amount = 0;
};

/// Watched is for what there is to receive, before the first step.
struct Sequence {
  std::string_view name;
  std::string_view explanation;
  std::string_view manual;
  std::vector<Step> steps;
};

std::span<const Sequence> sequences();

/// "peer sends 2 bytes", "wait" and so on.
std::string describe(const Step& step);

}  // namespace muxlab::behaviour
