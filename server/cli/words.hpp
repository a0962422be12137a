#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace muxlab {

/// Names of files and fields of files are data that may hold any byte. These make them fit for the
/// place where they are shown.

/// `text` with a space for each control character, which a terminal takes for a command.
std::string one_line(std::string_view text);

/// `text` as one word of a shell such as bash: as it is where that is one, else quoted.
std::string shell_word(std::string_view text);

/// The first `columns` characters of `text`, which is UTF-8.
std::string_view cut_to(std::string_view text, std::size_t columns);

/// Whether a line written to stderr can be rewritten.
bool stderr_is_terminal();

/// "1 min 20 s": whole seconds, for people.
std::string show_time(std::chrono::nanoseconds time);

/// The time now in UTC: 2026-01-31T09:30:00Z, and 20260131T093000Z for names of files.
std::string utc_now();
std::string utc_now_for_names();

}  // namespace muxlab
