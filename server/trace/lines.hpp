#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/trace/trace.hpp"

namespace muxlab::trace {

/// A line of a time line.
struct Line {
  std::string time_us;
  std::string actor;  ///< "client", "muxlab", "server" (its first thread), "thread 1" and so on
  std::string call;   ///< or the step of a client
  std::string result = {};              ///< "= 64", "waits"; empty for a step
  std::vector<std::string> below = {};  ///< submissions to a ring and completions from it
};

/// The steps while the server stood still, and the server's calls until it was idle again.
struct Turn {
  std::vector<Line> steps;
  std::vector<Line> calls;
};

std::vector<Turn> turns_of(const Trace& trace);

/// Returns "recv(a, 16384) = 64". Pads the call to `width` columns.
std::string text_of(const Line& line, std::size_t width = 0);

/// Returns "wait 4, read 3, write 2: 9 calls".
std::string calls_text(const Trace& trace);

}  // namespace muxlab::trace
