#include "bench/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muxlab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

TrialRow finished(TrialStatus status) {
  TrialRow row;
  row.round = 1;
  row.cell = {"epoll-lt", "single", 1, 1000, 0};
  row.outcome.status = status;
  row.outcome.reason = status == TrialStatus::ok ? "" : "client gave up";
  return row;
}

/// What two trials, the second of which fails, leave on a stream.
std::string written(bool terminal) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = ::open_memstream(&text, &size);
  {
    Progress progress(2, seconds(90), stream, terminal);
    progress.begin(finished(TrialStatus::ok).cell);
    progress.finish(finished(TrialStatus::ok));
    progress.begin(finished(TrialStatus::failed).cell);
    progress.finish(finished(TrialStatus::failed));
  }
  std::fclose(stream);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(Progress, IsOneLinePerTrialWhereNothingCanBeRewritten) {
  const std::string lines = written(false);
  EXPECT_THAT(lines, HasSubstr("[1/2] round 1: epoll-lt, 1 thread (single), 1k connections: "));
  EXPECT_THAT(lines, HasSubstr("[2/2] round 1: epoll-lt, 1 thread (single), 1k connections: "
                               "failed: client gave up\n"));
  EXPECT_THAT(lines, Not(HasSubstr("\r")));
}

TEST(Progress, RewritesItsLineOnATerminalAndKeepsFailures) {
  const std::string screen = written(true);
  EXPECT_THAT(screen,
              HasSubstr("  0%  epoll-lt, 1 thread (single), 1k connections; 1 min 30 s left"));
  EXPECT_THAT(screen, HasSubstr(" 50%  "));
  EXPECT_THAT(screen, Not(HasSubstr("[1/2]")));
  EXPECT_THAT(screen,
              HasSubstr("[2/2] round 1: epoll-lt, 1 thread (single), 1k connections: failed"));
  EXPECT_TRUE(screen.ends_with("\r\033[K")) << "the last line stays on the screen";
}

TEST(Progress, ShowsTimesAsPeopleSayThem) {
  EXPECT_EQ(show_time(milliseconds(1200)), "2 s");
  EXPECT_EQ(show_time(seconds(125)), "2 min 5 s");
}

}  // namespace
}  // namespace muxlab
