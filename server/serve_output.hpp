#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "backends/counting/worker_stats.hpp"
#include "backends/parts/unique_fd.hpp"
#include "backends/parts/written_file.hpp"

namespace muxlab {

/// Says on stderr that `what` cannot be written, once until it can be again.
class Complaint {
 public:
  explicit Complaint(std::string what) : what_(std::move(what)) {}
  void note(std::string_view reason);  ///< empty: it was written
  [[nodiscard]] bool stands() const { return stands_; }

 private:
  std::string what_;
  bool stands_ = false;
};

/// Lines for a pipe, a terminal or another device, whose reader may be slow, may have gone, or may
/// never come. Never waits for it, and never throws: a line that cannot be written is lost, and a
/// complaint is made. For one thread, which ignores SIGPIPE.
class LineStream {
 public:
  /// Writes to a descriptor that the caller keeps open.
  LineStream(std::string name, int borrowed) : complaint_(std::move(name)), fd_(borrowed) {}
  /// Opens `path` as soon as that does not wait, which for a pipe is when it has a reader, and
  /// keeps it open, so that the reader sees one stream.
  LineStream(std::string name, std::string path);

  /// Writes as much of `line` as there is room for. While a line is only partly written, the newest
  /// one is kept for later, and those in between are lost.
  void write(std::string line);
  /// The descriptor that flush() waits for to be writable; -1: all is written.
  [[nodiscard]] int waits_for() const { return rest_.empty() ? -1 : fd_; }
  void flush();
  /// Waits until all is written, or for `patience`. False when the last line was lost.
  bool finish(std::chrono::milliseconds patience);

 private:
  bool open();
  void lose(std::string_view reason);

  Complaint complaint_;
  std::string path_;  ///< empty: borrowed
  UniqueFd opened_;
  int fd_ = -1;
  std::string rest_;  ///< of the line that is being written
  std::string next_;  ///< the newest one behind it
};

/// What `muxlab serve` writes: the line that says where it listens, on stdout, and its counters, a
/// line each time on stdout or another stream, or a file that always holds a whole one.
///
/// Nothing here ends serving or delays it: output that cannot be written is named on stderr.
class ServeOutput {
 public:
  /// `stats`: the value of --stats; `reading`: how to read the counters. Looks at the path at once:
  /// throws Failure where it can never be written, as output_kind() does.
  ServeOutput(std::optional<std::string> stats, nlohmann::ordered_json reading);

  void say_listening(std::string line) { stdout_.write(std::move(line)); }
  void write(std::span<const WorkerStats> threads);

  /// As LineStream, for whichever stream has a rest.
  [[nodiscard]] int waits_for() const;
  void flush();
  /// Waits until everything is written, half a second at most. False when the last line or the last
  /// counters were lost.
  bool finish();

 private:
  [[nodiscard]] std::string line_of(std::span<const WorkerStats> threads) const;

  nlohmann::ordered_json reading_;
  LineStream stdout_;
  std::optional<LineStream> stream_;  ///< of the counters, where they are not on stdout
  std::string file_;                  ///< of the counters; empty: a stream
  Complaint complaint_;               ///< about the file, or the counters themselves
  bool has_stats_;
};

}  // namespace muxlab
