#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/parts/unique_fd.hpp"

/// The rows of the behaviour atlas. A state is a real descriptor in that state. A sequence is a
/// list of steps on one TCP connection, the same for each column.
namespace muxlab::behaviour {

/// Owns a descriptor in some state, and the descriptors that keep it in that state while open.
struct Scene {
  UniqueFd watched;
  std::vector<UniqueFd> kept;
};

/// The calls that an application would make next.
enum class NextCalls : std::uint8_t { socket, file, event_counter, accept };

/// A row. Its strings and functions are constants.
struct State {
  std::string_view name;
  std::string_view explanation;
  std::string_view manual;
  Scene (*make)();
  NextCalls next = NextCalls::socket;
  bool asks_write = true;  ///< whether the watch asks for writability too
  /// Runs once the descriptor is watched; may be null.
  void (*after_watch)(Scene&) = nullptr;
};

/// In the order in which they are shown: TCP connections, listeners, other sockets, files.
std::vector<State> states();
std::span<const State> connection_states();
std::span<const State> listener_states();
std::span<const State> other_states();

/// Makes the next calls on `fd`, which may be closed. Returns each result: "recv ECONNRESET".
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

/// The connection is watched before the first step, without writability.
struct Sequence {
  std::string_view name;
  std::string_view explanation;
  std::string_view manual;
  std::vector<Step> steps;
};

std::span<const Sequence> sequences();

/// Returns "peer sends 2", "wait" and so on.
std::string describe(const Step& step);

}  // namespace muxlab::behaviour
