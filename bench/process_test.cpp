#include "bench/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "bench/process_processors.hpp"

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
  ASSERT_EQ(wait_for({&process}, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.exit_code(), 7);
  EXPECT_EQ(process.output().take_line(), "one");
  EXPECT_EQ(process.output().take_line(), "two");
  EXPECT_EQ(process.output().take_line(), std::nullopt);
  EXPECT_EQ(process.last_words(), "wrong");
}

TEST(Process, AnnouncesOnItsOwnDescriptor) {
  Process process(shell("echo begin 17 >&3; exec sleep 60"));
  std::optional<std::string> line;
  const auto announced = [&] { return (line = process.announcements().take_line()).has_value(); };
  ASSERT_EQ(wait_for({&process}, -1, in(seconds(10)), announced), Wake::happened);
  EXPECT_EQ(line, "begin 17");
}

TEST(Process, ChildThatNeverAnswersMeetsTheDeadline) {
  Process process(shell("exec sleep 60"));
  const auto begin = Clock::now();
  EXPECT_EQ(wait_for({&process}, -1, in(milliseconds(30)), ended(process)), Wake::deadline);
  EXPECT_GE(Clock::now() - begin, milliseconds(30));
}

TEST(Process, InterruptEndsTheWait) {
  Process process(shell("exec sleep 60"));
  const Pipe pipe = make_pipe();
  ASSERT_EQ(::write(pipe.write_end.get(), "x", 1), 1);
  EXPECT_EQ(wait_for({&process}, pipe.read_end.get(), in(seconds(10)), ended(process)),
            Wake::interrupted);
}

TEST(Process, EndsWhenItIsAsked) {
  Process process(shell("exec sleep 60"));
  EXPECT_EQ(end_process(process, seconds(10)), 128 + SIGTERM);
}

TEST(Process, IsKilledWhenItDoesNotListen) {
  Process process(shell("trap '' TERM; echo ready; exec sleep 60"));
  const auto ready = [&] { return !process.output().text().empty(); };
  ASSERT_EQ(wait_for({&process}, -1, in(seconds(10)), ready), Wake::happened);
  EXPECT_EQ(end_process(process, milliseconds(20)), 128 + SIGKILL);
}

TEST(Process, ProgramThatIsNotThereEndsWith127) {
  Process process(Command{{"/nowhere/muxlab"}, {}, {}});
  ASSERT_EQ(wait_for({&process}, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.exit_code(), 127);
  EXPECT_THAT(process.last_words(), HasSubstr("cannot be run"));
}

TEST(Process, KeepsOnlyTheEndOfManyErrors) {
  Process process(shell("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done"));
  ASSERT_EQ(wait_for({&process}, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_LE(process.last_words().size(), 4096U);
  EXPECT_THAT(process.last_words(), HasSubstr("line 1999"));
}

TEST(Process, RunsWhereItIsTold) {
  const int last = allowed_processors().back();
  Process process(
      Command{{"/bin/sh", "-c", "grep Cpus_allowed_list /proc/self/status; pwd"}, {last}, "/"});
  ASSERT_EQ(wait_for({&process}, -1, in(seconds(10)), ended(process)), Wake::happened);
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
