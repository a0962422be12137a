#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace muxlab {

// These functions for diagnostics never throw, raise no SIGPIPE and never end the program, whatever
// stderr is. Text that cannot be written is lost: stderr is closed, the disk is full, the reader
// has gone or is slow. They allocate nothing and count no system call. Thread: any.

/// Writes `text` to stderr unchanged. Gives up when stderr accepts nothing for `patience_ms`.
void write_diagnostic(std::string_view text, int patience_ms = 100) noexcept;

/// The longest line in bytes: with its prefix within PIPE_BUF, so that lines of threads do not mix.
inline constexpr std::size_t kLongestLine = 4000;

/// Writes "muxlab: LINE" as one line, cut if it is too long. A control character, such as one in a
/// file's name, becomes a space.
void say(std::string_view line, int patience_ms = 100) noexcept;

/// say() for a serving thread: never waits for the reader of stderr.
template <typename... Arguments>
void say_at_once(fmt::format_string<Arguments...> format, Arguments&&... arguments) noexcept {
  std::array<char, kLongestLine> line;
  const auto end =
      fmt::format_to_n(line.data(), line.size(), format, std::forward<Arguments>(arguments)...);
  say({line.data(), std::min(end.size, line.size())}, 0);
}

}  // namespace muxlab
