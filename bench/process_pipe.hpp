#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "backends/unique_fd.hpp"

namespace muxlab {

/// Both ends of a pipe; close-on-exec, and the reading end does not block.
struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};
Pipe make_pipe();

/// The reading end of a child's pipe and the text that has come through it so far.
///
/// Keeps the newest `max_bytes` only, so that a child that babbles costs no memory.
class PipeReader {
 public:
  explicit PipeReader(UniqueFd read_end = UniqueFd(), std::size_t max_bytes = 1 << 20)
      : fd_(std::move(read_end)), max_bytes_(max_bytes) {}

  /// -1 once the writer has closed its end.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Takes in all that is there now; never waits.
  void drain();

  /// The oldest whole line, without its end; nothing while none is complete.
  std::optional<std::string> take_line();

  /// What was read and not taken.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  UniqueFd fd_;
  std::size_t max_bytes_;
  std::string text_;
};

}  // namespace muxlab
