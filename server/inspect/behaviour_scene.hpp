#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/parts/unique_fd.hpp"

/// The rows of the behaviour atlas: states that a descriptor can be in, each made for real; and
/// what is reported in the course of time: the same steps on one TCP connection, in each column.
namespace muxlab::behaviour {

/// A descriptor in some state, and whatever has to stay open for it to stay in it.
struct Scene {
  UniqueFd watched;
  std::vector<UniqueFd> kept;
};

/// The calls that an application would make next, to see what they return.
enum class NextCalls : std::uint8_t { socket, file, event_counter, accept };

/// A row. What is not null in it is written once and never changed.
struct State {
  std::string_view name;
  std::string_view explanation;
  std::string_view manual;
  Scene (*make)();
  NextCalls next = NextCalls::socket;
  bool asks_write = true;  ///< whether to be told of room to write, beside all else
  /// What happens once the descriptor is watched, if anything.
  void (*after_watch)(Scene&) = nullptr;
};

/// In the order in which they are shown: TCP connections, listeners, other sockets, files.
std::vector<State> states();
std::span<const State> connection_states();
std::span<const State> listener_states();
std::span<const State> other_states();

/// What the next calls on a descriptor returned, such as "recv ECONNRESET". `fd` may be closed.
std::vector<std::string> call_next(int fd, NextCalls calls);

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
