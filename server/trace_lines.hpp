#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/trace.hpp"

namespace muxlab::trace {

/// A line of a time line.
struct Line {
  std::string time_us;  ///< empty below a call that it belongs to
  std::string who;      ///< "client", "server", and "server 1" where it has several threads
  std::string call;     ///< or the step of a client
  std::string result;   ///< empty where there is none
  bool is_step = false;
};

/// What was done while the server stood still, and what the server then did until it was idle.
struct Turn {
  std::vector<Line> steps;
  std::vector<Line> calls;
};

std::vector<Turn> turns_of(const Trace& trace);

/// "recv(a, 16384) = 64"; the result begins at column `width` where the call leaves that room.
std::string text_of(const Line& line, std::size_t width = 0);

/// "wait 4, read 3, write 2: 9 calls"
std::string calls_text(const Trace& trace);

}  // namespace muxlab::trace
