#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "bench/campaign/sliced_campaign.hpp"
#include "bench/report/answer_files.hpp"
#include "server/cli/words.hpp"

namespace muxlab {

SlicedProgress::SlicedProgress(const SlicedPlan& plan, Write write, bool terminal,
                               std::size_t columns)
    : plan_(plan), write_(write), terminal_(terminal), columns_(columns) {
  if (!terminal) due_ += std::chrono::seconds(10);
}

SlicedProgress::~SlicedProgress() {
  if (terminal_) write_("\r\033[K");
}

void SlicedProgress::tell(const LoadProgress& progress, double left_s) {
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) return;
  const Answer so_far = progress.so_far();
  const auto took = std::chrono::steady_clock::now() - now;
  const auto pause = terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(10);
  due_ = now + std::max<std::chrono::nanoseconds>(pause, 50 * took);  // measuring comes first
  std::string line = fmt::format(
      "load {} of {}, {}: {:.0f} %, at most {} left; ", progress.load + 1, plan_.loads.size(),
      name_of_load(plan_.loads[progress.load].cell), 100 * progress.share,
      show_time(std::chrono::nanoseconds(std::llround(left_s * 1e9))));
  const std::size_t room = columns_ > line.size() + 1 ? columns_ - line.size() - 1 : 0;
  line += interim_words(so_far, progress.load, terminal_ ? room : 160);
  // In the last column the cursor would go to the next line on some terminals.
  write_(terminal_ ? fmt::format("\r\033[K{}", cut_to(line, columns_ - 1))
                   : fmt::format("muxlab: {}\n", line));
}

std::size_t stderr_columns() {
  constexpr std::size_t kUsual = 80;
  if (const char* const text = std::getenv("COLUMNS")) {
    std::size_t columns = 0;
    const std::string_view given = text;
    const auto parsed = std::from_chars(given.data(), given.data() + given.size(), columns);
    if (parsed.ec == std::errc{} && columns > 0) return columns;
  }
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace muxlab
