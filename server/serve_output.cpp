#include "server/serve_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <exception>
#include <utility>

#include "backends/parts/say.hpp"
#include "server/stats_json.hpp"

namespace muxlab {
namespace {

const char* error_text(int error) {
  const char* const text = ::strerrordesc_np(error);
  return text != nullptr ? text : "unknown error";
}

/// Returns true when `path` names the file that `fd` has open, as /dev/stdout does.
bool leads_to(const std::string& path, int fd) {
  struct stat named {};
  struct stat opened {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

}  // namespace

void Complaint::note(std::string_view reason) {
  if (!reason.empty() && !stands_) say_at_once("cannot write {}: {}", what_, reason);
  stands_ = !reason.empty();
}

LineStream::LineStream(std::string name, std::string path)
    : complaint_(std::move(name)), path_(std::move(path)) {
  open();
}

bool LineStream::open() {
  if (path_.empty() || opened_) return true;
  opened_.reset(::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  fd_ = opened_.get();
  return static_cast<bool>(opened_);
}

void LineStream::write(std::string line) {
  flush();
  if (!rest_.empty()) {
    if (!next_.empty()) complaint_.note("its reader is slow");
    next_ = std::move(line);
    return;
  }
  if (!open()) return lose(errno == ENXIO ? "it has no reader" : error_text(errno));
  rest_ = std::move(line);
  flush();
}

void LineStream::flush() {
  while (!rest_.empty()) {
    // When poll(2) reports POLLOUT, a pipe has room for PIPE_BUF bytes.
    const std::size_t size = std::min<std::size_t>(rest_.size(), PIPE_BUF);
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, 0) <= 0) return;
    const ssize_t written = ::write(fd_, rest_.data(), size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0) return lose(error_text(errno));
    rest_.erase(0, static_cast<std::size_t>(written));
    if (rest_.empty()) rest_ = std::exchange(next_, {});
    if (rest_.empty()) complaint_.note("");
  }
}

void LineStream::lose(std::string_view reason) {
  complaint_.note(reason);
  rest_.clear();
  next_.clear();
  opened_.reset();  // the next line opens the path again
}

bool LineStream::finish(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (flush(); !rest_.empty(); flush()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (left.count() > 0 && ::poll(&writable, 1, static_cast<int>(left.count())) != 0) continue;
    complaint_.note("its reader is slow");
    break;
  }
  return !complaint_.stands();
}

ServeOutput::ServeOutput(std::optional<std::string> stats, nlohmann::ordered_json reading)
    : reading_(std::move(reading)),
      stdout_("to stdout", STDOUT_FILENO),
      complaint_("--stats " + stats.value_or("")),
      has_stats_(stats.has_value()) {
  if (!stats || *stats == "-") return;
  const std::string name = "--stats " + *stats;
  const OutputKind kind = output_kind("--stats", *stats);
  if (leads_to(*stats, STDOUT_FILENO)) return;
  if (leads_to(*stats, STDERR_FILENO)) {
    stream_.emplace(name, STDERR_FILENO);
  } else if (kind == OutputKind::stream) {
    stream_.emplace(name, *stats);
  } else {
    file_ = *stats;
  }
}

/// Frees the JSON on return: once the reader has the line, memory may be short again.
std::string ServeOutput::line_of(std::span<const WorkerStats> threads) const {
  nlohmann::ordered_json all = stats_json(threads);
  all.update(reading_);
  return all.dump() + "\n";
}

void ServeOutput::write(std::span<const WorkerStats> threads) try {
  if (!has_stats_) return;
  std::string line = line_of(threads);
  const std::error_code error = file_.empty() ? std::error_code() : replace_file(file_, line);
  complaint_.note(error ? error_text(error.value()) : "");
  if (file_.empty()) (stream_ ? *stream_ : stdout_).write(std::move(line));
} catch (const std::exception& error) {  // out of memory
  complaint_.note(error.what());
}

int ServeOutput::waits_for() const {
  const int fd = stdout_.waits_for();
  return fd < 0 && stream_ ? stream_->waits_for() : fd;
}

void ServeOutput::flush() {
  stdout_.flush();
  if (stream_) stream_->flush();
}

bool ServeOutput::finish() {
  constexpr std::chrono::milliseconds kPatience{500};
  const bool said = stdout_.finish(kPatience);
  const bool counted = !stream_ || stream_->finish(kPatience);
  return said && counted && !complaint_.stands();
}

}  // namespace muxlab
