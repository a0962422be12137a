#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "bench/trial_row.hpp"

namespace muxlab {

/// Tells on stderr how far a campaign is: one line that is rewritten on a terminal, and one line
/// per finished trial elsewhere (and where TERM is `dumb`). Failed trials are lines of their own in
/// both. No colours.
class Progress {
 public:
  /// `expected` is the time that all `trials` should take. `terminal` overrides what stderr is.
  Progress(std::uint64_t trials, std::chrono::nanoseconds expected, std::FILE* stream,
           bool terminal);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;
  ~Progress();

  /// So many trials more than it was said at first.
  void expect_more(std::uint64_t trials) { trials_ += trials; }
  void begin(const Cell& cell);
  void finish(const TrialRow& row);

 private:
  [[nodiscard]] std::chrono::nanoseconds time_left() const;
  void clear_line();

  std::uint64_t trials_;
  std::uint64_t finished_ = 0;
  std::uint64_t measured_ = 0;  ///< finished, and not merely unsupported
  std::chrono::nanoseconds expected_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::FILE* stream_;
  bool terminal_;
};

/// Whether a line written to stderr can be rewritten.
bool stderr_is_terminal();

/// "epoll-lt, 2 threads, 1k connections", and the idle ones when there are any.
std::string describe(const Cell& cell);

/// "1 min 20 s": whole seconds, for people.
std::string show_time(std::chrono::nanoseconds time);

}  // namespace muxlab
