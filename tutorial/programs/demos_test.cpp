#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tutorial/programs/test_tutorial.hpp"

/// The facts that the demonstrations of the tutorial show, on the kernel that runs the tests.
namespace muxlab::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string output_of(const std::string& name, const std::string& prefix = "") {
  const Outcome outcome = run_demo(name, prefix);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  return outcome.output;
}

/// The first number after `text`; -1 without one.
long number_after(const std::string& output, const std::string& text) {
  const auto begin = output.find(text);
  if (begin == std::string::npos) return -1;
  long number = -1;
  std::sscanf(output.c_str() + begin + text.size(), "%ld", &number);
  return number;
}

TEST(TutorialPrograms, EachSourceIsShort) {
  int sources = 0;
  const std::filesystem::path folder = MUXLAB_SOURCE_DIR "/tutorial/programs";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().string().ends_with("_test.cpp")) continue;
    std::ifstream file(entry.path());
    long lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    EXPECT_LE(lines, 150) << entry.path();
    ++sources;
  }
  EXPECT_GE(sources, 20);
}

TEST(TutorialPrograms, PartialWrite) {
  const std::string output = output_of("partial_write");
  const long taken = number_after(output, "given 8388608 bytes and took ");
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 8388608);
  const long kept = number_after(output, "the application has to keep ");
  EXPECT_GT(kept, 0);
  EXPECT_LE(kept, 8388608 - taken);
  EXPECT_THAT(output, HasSubstr("EAGAIN"));
  EXPECT_GT(number_after(output, "there was room: "), 1);
  EXPECT_THAT(output, HasSubstr("received 8388608 bytes, all the same"));
}

TEST(TutorialPrograms, EpollFacts) {
  const std::string output = output_of("epoll_facts");
  for (const char* const fact : {
           "mmap.the epoll descriptor. += -1 ENODEV",
           "a page that nobody may write. += -1 EFAULT",
           "the same page, made writable. += 1",
           "again, the byte not read += 1\n.*after it was read += 0",
           "again, the byte not read += 0\n.*fdinfo/EPOLL += 1",
           "ADD. of the same descriptor += -1 EEXIST",
           "after one more byte, still none read += 1",
           "after epoll_ctl.MOD., no new byte += 1",
           "after close.. of the descriptor += 1",
           "DEL. of the closed descriptor += -1 EBADF",
       }) {
    EXPECT_THAT(output, ContainsRegex(fact));
  }
  if (output.find("ulimit -Hn is too low") != std::string::npos) {
    GTEST_SKIP() << "the hard limit of descriptors is too low for select beyond 1024";
  }
  EXPECT_THAT(output, ContainsRegex("select.1501, bits of our own. += 1\n"));
  EXPECT_THAT(output, ContainsRegex("poll.2000 entries, .* += 2000\n"));
}

TEST(TutorialPrograms, EpollFactsWhereSelectCannotBeShown) {
  EXPECT_THAT(output_of("epoll_facts", "ulimit -n 1024;"), HasSubstr("ulimit -Hn is too low"));
}

TEST(TutorialPrograms, EventMethods) {
  const std::string output = output_of("event_methods");
  EXPECT_THAT(output, HasSubstr("event_get_supported_methods(): epoll poll select"));
  for (const char* const fact : {"epoll +works: edge-triggered", "poll +works: takes any kind",
                                 "select +works: takes any kind", "new.. takes epoll"}) {
    EXPECT_THAT(output, ContainsRegex(fact));
  }
}

TEST(TutorialPrograms, EventMethodsThatAreSwitchedOffAreStillListed) {
  const std::string output = output_of("event_methods", "EVENT_NOEPOLL=1");
  EXPECT_THAT(output, HasSubstr("event_get_supported_methods(): epoll poll select"));
  EXPECT_THAT(output, ContainsRegex("epoll +compiled in, but switched off by an environment"));
  EXPECT_THAT(output, HasSubstr("event_base_new() takes poll"));
}

TEST(TutorialPrograms, EpollFiles) {
  const std::string output = output_of("epoll_files");
  for (const char* const fact : {
           "nothing to read from:.*a pipe +not ready +not ready",
           "something to read from:.*a pipe +ready +ready",
           "a regular file, empty +EPERM +ready",
           "a regular file +EPERM +ready",
           "a directory +EPERM +ready",
           "/dev/null +EPERM +ready",
           "a timerfd +not ready +not ready",
           "at its begin: poll says ready, read.. returns 7",
           "at its end: poll says ready, read.. returns 0",
       }) {
    EXPECT_THAT(output, ContainsRegex(fact));
  }
}

TEST(TutorialPrograms, CopyFile) {
  const std::string output = output_of("copy_file");
  EXPECT_THAT(output, Not(HasSubstr("OTHER BYTES")));
  EXPECT_EQ(number_after(output, "read and write"), 129);  // 64 pairs, and the end of the file
  EXPECT_EQ(number_after(output, "sendfile"), 2);
  EXPECT_GE(number_after(output, "splice"), 130);  // and the pipe, which may be smaller
  if (output.find("io_uring        not to be had") == std::string::npos) {
    EXPECT_EQ(number_after(output, "io_uring"), 9);  // four batches, and the ring
  }
}

TEST(TutorialPrograms, CopyFileWithoutIoUring) {
  const Outcome outcome = run_command_without_io_uring(tutorial_program("copy_file"), EPERM);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, ContainsRegex("io_uring +not to be had here: io_uring_setup: "));
}

TEST(TutorialPrograms, SignalsAndTimers) {
  EXPECT_EQ(output_of("signals_and_timers"),
            "eventfd: another thread wrote 3 times, one read gives the sum: 7\n"
            "signalfd: SIGUSR1 was sent 2 times while nobody looked, and reported: 1\n"
            "signalfd: it tells who sent it: this process\n"
            "timerfd: expired, number 1\n"
            "timerfd: expired, number 2\n"
            "timerfd: expired, number 3\n");
}

TEST(TutorialPrograms, EventTimerSignal) {
  EXPECT_EQ(output_of("event_timer_signal"),
            "timer: once, and then it is not pending any more: true\n"
            "timer: tick 1\n"
            "timer: tick 2\n"
            "tick 2 sends SIGUSR1 two times\n"
            "tick 2 goes on: no callback was called meanwhile\n"
            "signal: callback 1\n"
            "signal: callback 2\n"
            "nothing is left to wait for, so the loop ends by itself\n"
            "event_base_dispatch() returned\n");
}

}  // namespace
}  // namespace muxlab::test
