#include "backends/parts/process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "backends/parts/failure.hpp"
#include "server/testing/program.hpp"

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

/// Runs in a process of its own, because a filter stays.
void expect_ends_children_without(const std::vector<long>& calls, int error) {
  const pid_t child = checked(::fork(), "fork");
  if (child == 0) {
    test::forbid(calls, error);
    Process ends(shell("echo here; exit 7"));
    const bool is_seen = wait_for(ends, -1, in(seconds(30)), ended(ends)) == Wake::happened;
    const bool is_heard = ends.exit_code() == 7 && ends.output().text() == "here\n";
    Process waits(shell("exec sleep 60"));
    const bool is_late = wait_for(waits, -1, in(milliseconds(30)), ended(waits)) == Wake::deadline;
    waits.send(SIGTERM);
    wait_for(waits, -1, in(seconds(30)), ended(waits));
    { const Process killed(shell("exec sleep 60")); }
    ::_exit(is_seen && is_heard && is_late && waits.exit_code() == 128 + SIGTERM ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "with error " << error;
}

TEST(Process, NeedsNoDescriptorOfItsChild) {
  for (const int error : {EPERM, ENOSYS}) {
    expect_ends_children_without({SYS_pidfd_open}, error);
    expect_ends_children_without({SYS_pidfd_send_signal}, error);
    expect_ends_children_without({SYS_pidfd_open, SYS_pidfd_send_signal}, error);
  }
}

TEST(Process, SaysThatItCannotBeBoundToItsProcessors) {
  Process process(Command{.words = {"/bin/true"}, .processors = {CPU_SETSIZE - 1}});
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  EXPECT_EQ(process.exit_code(), 127);
  EXPECT_THAT(process.last_words(), HasSubstr("sched_setaffinity"));
}

/// Sets a variable for a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* const before = ::getenv(name)) before_ = before;
    ::setenv(name, value, 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(Process, OtherProgramsHaveAFixedEnvironment) {
  const Variable terminal("GNUTERM", "x11"), locale("LC_ALL", "de_DE.UTF-8"),
      path("PATH", ":relative:/usr/bin:.:/bin");
  Process process(Command{.words = {"/usr/bin/env"}, .processors = {}});
  ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
  const std::string& text = process.output().text();
  EXPECT_THAT(text, HasSubstr("PATH=/usr/bin:/bin\n"));
  EXPECT_THAT(text, HasSubstr("LC_ALL=C.UTF-8\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("GNUTERM")));
  Process own(Command{.words = {"/usr/bin/env"}, .processors = {}, .shares_environment = true});
  ASSERT_EQ(wait_for(own, -1, in(seconds(10)), ended(own)), Wake::happened);
  EXPECT_THAT(own.output().text(), HasSubstr("GNUTERM=x11\n"));
}

/// A folder of results may hold a file that is called gnuplot.
TEST(Process, NoProgramIsLookedForInTheFolderOfTheChild) {
  std::string name = testing::TempDir() + "process-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  std::ofstream(folder / "planted") << "#!/bin/sh\necho planted\n";
  std::filesystem::permissions(folder / "planted", std::filesystem::perms::owner_all);
  for (const char* const value : {"", ".", ":/usr/bin", "/usr/bin:"}) {
    const Variable path("PATH", value);
    Process process(Command{.words = {"planted"}, .processors = {}, .folder = folder.string()});
    ASSERT_EQ(wait_for(process, -1, in(seconds(10)), ended(process)), Wake::happened);
    EXPECT_EQ(process.exit_code(), 127) << value << process.output().text();
  }
  std::filesystem::remove_all(folder);
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
