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

/// Logs to stderr that `what` cannot be written: once, until a write succeeds again.
class Complaint {
 public:
  explicit Complaint(std::string what) : what_(std::move(what)) {}
  void note(std::string_view reason);  ///< empty: the write succeeded
  [[nodiscard]] bool stands() const { return stands_; }

 private:
  std::string what_;
  bool stands_ = false;
};

/// Writes lines to a pipe, a terminal or another device, whose reader may be slow, gone or missing.
/// write() and flush() never block, and nothing throws: a line that cannot be written is lost and
/// reported. Requires: SIGPIPE is ignored. Thread: one.
class LineStream {
 public:
  /// Writes to `borrowed`, which the caller keeps open.
  LineStream(std::string name, int borrowed) : complaint_(std::move(name)), fd_(borrowed) {}
  /// Opens `path` without blocking, a pipe once it has a reader. Keeps it open until a write fails,
  /// so that the reader sees one stream.
  LineStream(std::string name, std::string path);

  /// Writes as much of `line` as there is room for. While an earlier line is incomplete, keeps the
  /// newest line for later and drops the lines in between.
  void write(std::string line);
  /// Returns the descriptor to wait for (POLLOUT) before flush(); -1 when all is written.
  [[nodiscard]] int waits_for() const { return rest_.empty() ? -1 : fd_; }
  void flush();
  /// Waits until all is written, at most for `patience`. Returns false when the last line was lost.
  bool finish(std::chrono::milliseconds patience);

 private:
  bool open();
  void lose(std::string_view reason);

  Complaint complaint_;
  std::string path_;  ///< empty: borrowed
  UniqueFd opened_;
  int fd_ = -1;
  std::string rest_;  ///< unwritten part of the current line
  std::string next_;  ///< the newest line after it
};

/// Writes the output of `muxlab serve`. The listening line goes to stdout. The counters go, a line
/// each time, to stdout or another stream, or to a file that always holds a complete line.
///
/// Failures and slow readers neither end nor delay serving: they are reported on stderr.
class ServeOutput {
 public:
  /// `stats` is the value of --stats; `reading` holds the keys of reading_json(). Checks the path
  /// at once. Throws Failure when it can never be written, as output_kind() does.
  ServeOutput(std::optional<std::string> stats, nlohmann::ordered_json reading);

  void say_listening(std::string line) { stdout_.write(std::move(line)); }
  void write(std::span<const WorkerStats> threads);

  /// As LineStream, for the first stream with unwritten data.
  [[nodiscard]] int waits_for() const;
  void flush();
  /// Waits until everything is written, at most half a second per stream. Returns false when the
  /// last line or the last counters were lost.
  bool finish();

 private:
  [[nodiscard]] std::string line_of(std::span<const WorkerStats> threads) const;

  nlohmann::ordered_json reading_;
  LineStream stdout_;
  std::optional<LineStream> stream_;  ///< of the counters, unless on stdout
  std::string file_;                  ///< of the counters; empty: a stream
  Complaint complaint_;               ///< about the file, or about memory for the counters
  bool has_stats_;
};

}  // namespace muxlab
