#pragma once

#include <chrono>
#include <string>

namespace muxlab {

/// Whether a line written to stderr can be rewritten.
bool stderr_is_terminal();

/// "1 min 20 s": whole seconds, for people.
std::string show_time(std::chrono::nanoseconds time);

/// The time now in UTC: 2026-01-31T09:30:00Z, and 20260131T093000Z for names of files.
std::string utc_now();
std::string utc_now_for_names();

}  // namespace muxlab
