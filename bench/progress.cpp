#include "bench/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "bench/cell_columns.hpp"

namespace muxlab {
namespace {

std::string describe_outcome(const TrialOutcome& outcome) {
  if (outcome.status != TrialStatus::ok) {
    return fmt::format("{}: {}", status_name(outcome.status), outcome.reason);
  }
  return fmt::format("{:.0f} echoes/s, p99 {:.3f} ms", outcome.metrics[Metric::echoes_per_s],
                     outcome.metrics[Metric::latency_ns_p99] / 1e6);
}

}  // namespace

Progress::Progress(std::uint64_t trials, std::chrono::nanoseconds expected, std::FILE* stream,
                   bool terminal)
    : trials_(trials), expected_(expected), stream_(stream), terminal_(terminal) {}

Progress::~Progress() { clear_line(); }

void Progress::begin(const Cell& cell) {
  if (!terminal_) return;
  clear_line();
  fmt::print(stream_, "{:3}%  {}; {} left", 100 * finished_ / trials_, describe(cell),
             show_time(time_left()));
  std::fflush(stream_);
}

void Progress::finish(const TrialRow& row) {
  ++finished_;
  const TrialStatus status = row.outcome.status;
  measured_ += status == TrialStatus::unsupported ? 0 : 1;
  if (terminal_ && status != TrialStatus::failed) return;
  clear_line();
  fmt::print(stream_, "[{}/{}] round {}: {}: {}\n", finished_, trials_, row.round,
             describe(row.cell), describe_outcome(row.outcome));
  std::fflush(stream_);
}

/// As the trials so far took, once there are enough of them.
std::chrono::nanoseconds Progress::time_left() const {
  const std::uint64_t left = trials_ - finished_;
  if (measured_ < 3) return expected_ / static_cast<std::int64_t>(trials_) * left;
  const auto spent = std::chrono::steady_clock::now() - begin_;
  return spent / static_cast<std::int64_t>(finished_) * left;
}

void Progress::clear_line() {
  if (!terminal_) return;
  fmt::print(stream_, "\r\033[K");
  std::fflush(stream_);
}

bool stderr_is_terminal() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

std::string describe(const Cell& cell) {
  return fmt::format("{}, {}", cell.backend, describe_point(cell));
}

std::string show_time(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  return fmt::format("{} min {} s", seconds / 60, seconds % 60);
}

}  // namespace muxlab
