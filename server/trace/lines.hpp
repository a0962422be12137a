#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/trace/trace.hpp"

namespace muxlab::trace {

/// A line of a time line.
struct Line {
  std::string time_us;
  std::string who;   ///< "client"; "server" for its first thread, "thread 1" and so on for others
  std::string call;  ///< or the step of a client
  std::string result = {};  ///< "= 64", "waits"; empty of a step
  std::vector<std::string> below =
      {};  ///< what a call submits to a ring, and what it brings from there
};

/// What was done while the server stood still, and what the server then did until it was idle.
struct Turn {
  std::vector<Line> steps;
  std::vector<Line> calls;
};

std::vector<Turn> turns_of(const Trace& trace);

/// "recv(a, 16384) = 64"; the result begins after `width` columns where the call leaves that room.
std::string text_of(const Line& line, std::size_t width = 0);

/// "wait 4, read 3, write 2: 9 calls"
std::string calls_text(const Trace& trace);

}  // namespace muxlab::trace
