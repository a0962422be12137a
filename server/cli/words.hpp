#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace muxlab {

/// Makes data fit for display: names and fields of files may hold any byte.

/// Returns `text` with spaces instead of control characters, which terminals obey.
std::string one_line(std::string_view text);

/// Returns `text` as one word of a shell such as bash, quoted where necessary.
std::string shell_word(std::string_view text);

/// Returns the first `columns` characters of UTF-8 `text`.
std::string_view cut_to(std::string_view text, std::size_t columns);

/// Returns true when a line on stderr can be rewritten.
bool stderr_is_terminal();

/// Formats whole seconds for people, such as "1 min 20 s".
std::string show_time(std::chrono::nanoseconds time);

/// Return the time in UTC: 2026-01-31T09:30:00Z, and 20260131T093000Z for file names.
std::string utc_now();
std::string utc_now_for_names();

}  // namespace muxlab
