#include "bench/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "backends/failure.hpp"

namespace muxlab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Command shell(const std::string& script) { return {{"/bin/sh", "-c", script}, {}, {}}; }
Clock::time_point in(std::chrono::nanoseconds wait) { return Clock::now() + wait; }
std::function<bool()> ended(const Process& process) {
  return [&process] { return process.exit_code().has_value(); };
}

TEST(Process, GivesLinesErrorsAndExitCode) {
  Process process(shell("echo one; echo two; echo wrong >&2; exit 7"));
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.exit_code(), 7);
  EXPECT_EQ(process.output().take_line(), "one");
  EXPECT_EQ(process.output().take_line(), "two");
  EXPECT_EQ(process.output().take_line(), std::nullopt);
  EXPECT_EQ(process.last_words(), "wrong");
}

TEST(Process, ChildInheritsADescriptor) {
  const UniqueFd file(checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null"));
  Command command = shell("readlink /proc/self/fd/3");
  command.inherited = file.get();
  Process process(command);
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.output().take_line(), "/dev/null");
}

TEST(Process, ChildThatNeverAnswersMeetsTheDeadline) {
  Process process(shell("exec sleep 60"));
  const auto begin = Clock::now();
  EXPECT_EQ(wait_for(process, -1, in(milliseconds(30)), ended(process)), Wake::deadline);
  EXPECT_GE(Clock::now() - begin, milliseconds(30));
}

TEST(Process, InterruptEndsTheWait) {
  Process process(shell("exec sleep 60"));
  const UniqueFd interrupt(checked(::eventfd(1, EFD_CLOEXEC), "eventfd"));
  EXPECT_EQ(wait_for(process, interrupt.get(), in(seconds(10)), ended(process)), Wake::interrupted);
}

TEST(Process, TellsWhichSignalEndedIt) {
  Process process(shell("exec sleep 60"));
  process.send(SIGTERM);
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.exit_code(), 128 + SIGTERM);
}

TEST(Process, ProgramThatIsNotThereEndsWith127) {
  Process process(Command{{"/nowhere/muxlab"}, {}, {}});
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.exit_code(), 127);
  EXPECT_THAT(process.last_words(), HasSubstr("cannot be run"));
}

TEST(Process, KeepsOnlyTheEndOfManyErrors) {
  Process process(shell("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done"));
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_LE(process.last_words().size(), 4096U);
  EXPECT_THAT(process.last_words(), HasSubstr("line 1999"));
}

TEST(Process, RunsWhereItIsTold) {
  const int last = allowed_processors().back();
  Process process(
      Command{{"/bin/sh", "-c", "grep Cpus_allowed_list /proc/self/status; pwd"}, {last}, "/"});
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.output().take_line(), "Cpus_allowed_list:\t" + std::to_string(last));
  EXPECT_EQ(process.output().take_line(), "/");
}

TEST(ProcessProcessors, ServerAndClientDoNotMeetWhenTheyNeedNot) {
  const std::vector<int> four = {0, 2, 4, 6};
  EXPECT_EQ(share_processors(std::span(four).first(1), 2), (Processors{{0}, {0}}));
  EXPECT_EQ(share_processors(std::span(four).first(2), 4), (Processors{{0}, {2}}));
  EXPECT_EQ(share_processors(four, 1), (Processors{{0}, {2, 4, 6}}));
  EXPECT_EQ(share_processors(four, 2), (Processors{{0, 2}, {4, 6}}));
  EXPECT_EQ(share_processors(four, 9), (Processors{{0, 2, 4}, {6}}));
}

}  // namespace
}  // namespace muxlab
