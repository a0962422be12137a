#pragma once

#include <chrono>
#include <string>

namespace muxlab {

/// Whether a line written to stderr can be rewritten.
bool stderr_is_terminal();

/// "1 min 20 s": whole seconds, for people.
std::string show_time(std::chrono::nanoseconds time);

}  // namespace muxlab
