#include "server/cli/surroundings.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "server/cli/build_stamp.hpp"
#include "server/testing/program.hpp"

/// Runs the program with a parent, limits or a stdout unlike those of a shell.
namespace muxlab {
namespace {

using testing::HasSubstr;

/// Each verb, with and without output of its own.
constexpr const char* kWriters[] = {"--help",
                                    "--version",
                                    "inspect --backends poll",
                                    "inspect --summary --backends poll",
                                    "inspect --json --backends poll",
                                    "inspect --help",
                                    "inspect behaviour --json",
                                    "trace --backend poll",
                                    "trace --backend poll --json",
                                    "bench --list",
                                    "bench --dry-run --backends poll,epoll-lt --connections 1",
                                    "serve --help",
                                    "load --help",
                                    "report --help",
                                    "compare --help",
                                    "serve --help",
                                    "completions bash",
                                    "completions fish"};

std::string errors_of(const std::string& arguments, const std::string& stdout_is, int expected) {
  const test::Outcome outcome = test::run(arguments, "", "2>&1 " + stdout_is);
  EXPECT_EQ(outcome.exit_code, expected) << arguments << '\n' << outcome.output;
  return outcome.output;
}

TEST(Surroundings, OutputThatWasLostIsNoSuccess) {
  for (const char* const writer : kWriters) {
    // bench also logs to stderr.
    EXPECT_THAT(errors_of(writer, ">/dev/full", 3),
                testing::EndsWith("the output is incomplete: stdout: No space left on device\n"))
        << writer;
    EXPECT_THAT(errors_of(writer, ">&-", 3),
                testing::EndsWith("the output is incomplete: stdout: Bad file descriptor\n"))
        << writer;
  }
}

TEST(Surroundings, OneLineIsEnough) {
  const std::string errors = errors_of("inspect --json --backends poll", ">/dev/full", 3);
  EXPECT_EQ(std::ranges::count(errors, '\n'), 1) << errors;
}

TEST(Surroundings, AReaderThatWentAwayIsNamed) {
  std::string name = testing::TempDir() + "surroundings-XXXXXX";
  const std::string folder = ::mkdtemp(name.data());
  const test::Outcome outcome =
      test::run_command(fmt::format("mkfifo {0}/pipe; exec 4<>{0}/pipe 5>{0}/pipe 4>&-; "
                                    "{1} completions zsh 2>&1 >&5",
                                    folder, MUXLAB_BINARY));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.output, "muxlab: the output is incomplete: stdout: Broken pipe\n");
  std::filesystem::remove_all(folder);
}

TEST(Surroundings, ClosedDescriptorsAreNotTakenByOtherFiles) {
  const std::string json = "inspect --json --backends poll";
  EXPECT_EQ(test::run(json, "", "<&- 2>&-").exit_code, 0);
  EXPECT_THAT(test::run(json, "", "<&- 2>&-").output, testing::StartsWith("{\n"));
  EXPECT_EQ(test::run(json, "", "<&- >&- 2>&-").exit_code, 3) << "its output is lost";
  EXPECT_EQ(test::run("trace --script -", "", "<&- 2>&1").exit_code, 2) << "an empty script";
  EXPECT_EQ(test::run("bench --nonsense", "", "<&- >&- 2>&-").exit_code, 2);
}

/// Runs a campaign with descriptors 0 and 1 closed: no result file gets their numbers.
TEST(Surroundings, ACampaignKeepsItsFilesApart) {
  std::string name = testing::TempDir() + "surroundings-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const std::string bench = "bench --backends poll,epoll-lt --connections 1 --for 1s --out ";
  const test::Outcome outcome =
      test::run(bench + (folder / "x").string(), "env --ignore-signal --block-signal", "<&- >&-");
  EXPECT_EQ(outcome.exit_code, 3) << "the table is lost";
  std::ifstream records(folder / "x/records.csv");
  std::string first;
  std::getline(records, first);
  EXPECT_THAT(first, HasSubstr(",rig,look,")) << "not the table";
  EXPECT_TRUE(std::filesystem::exists(folder / "x/report.html"));
  std::filesystem::remove_all(folder);
}

TEST(Surroundings, IgnoredAndBlockedSignalsDoNotMatter) {
  const std::string env = "env --ignore-signal --block-signal";
  EXPECT_EQ(test::run("inspect --backends poll,libevent-select", env).exit_code, 0);
  EXPECT_THAT(test::run("inspect --json --backends libevent-select", env).output,
              HasSubstr("\"max_connections\": 1003"))
      << "the result of a child process";
}

TEST(Surroundings, LocaleAndTerminalChangeNoNumber) {
  const std::string plain = test::run("bench --dry-run --seed 1 --connections 1").output;
  const std::string other = test::run("bench --dry-run --seed 1 --connections 1",
                                      "LC_ALL=de_DE.UTF-8 LANG=tr_TR LC_NUMERIC=fr_FR TERM=")
                                .output;
  const auto before_folder = [](const std::string& text) {
    return text.substr(0, text.find("results in"));
  };
  EXPECT_EQ(before_folder(plain), before_folder(other));
}

TEST(Surroundings, SmallStacksAreRaisedOrNamed) {
  EXPECT_EQ(test::run("inspect --backends poll", "ulimit -Ss 128;").exit_code, 0);
  const test::Outcome outcome = test::run("inspect --backends poll", "ulimit -s 128;");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.output,
            "muxlab: the limit of 128 KiB for a stack is too low: raise it to 1024 or more with "
            "ulimit -s\n");
  EXPECT_EQ(test::run("inspect --backends poll", "ulimit -s unlimited;").exit_code, 0);
}

TEST(Surroundings, AFileThatMayNotGrowIsNamed) {
  if (build_stamp.has_flag("-fsanitize=thread")) {
    GTEST_SKIP() << "ThreadSanitizer writes a file of its own before main()";
  }
  std::string name = testing::TempDir() + "surroundings-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const test::Outcome outcome =
      test::run("completions zsh", "ulimit -f 0;", "2>&1 >" + (folder / "page").string());
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.output, "muxlab: the output is incomplete: stdout: File too large\n");
  std::filesystem::remove_all(folder);
}

/// Runs the program on a FIFO without a writer, which keeps it in open(2).
class WaitingProgram {
 public:
  /// Starts it; with `is_first` as the first process of a PID namespace, where the kernel has no
  /// default action.
  explicit WaitingProgram(bool is_first) {
    std::string name = testing::TempDir() + "surroundings-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    const std::string fifo = folder_ / "fifo";
    ::mkfifo(fifo.c_str(), 0600);
    sigset_t all, before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    const unsigned long flags = SIGCHLD | (is_first ? CLONE_NEWPID | CLONE_NEWUSER : 0UL);
    pid_ = static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, 0));
    if (pid_ != 0) {
      ::sigprocmask(SIG_SETMASK, &before, nullptr);
      return;
    }
    ::execl(MUXLAB_BINARY, MUXLAB_BINARY, "trace", "--script", fifo.c_str(), nullptr);
    ::_exit(127);
  }
  WaitingProgram(const WaitingProgram&) = delete;
  WaitingProgram& operator=(const WaitingProgram&) = delete;
  ~WaitingProgram() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] bool has_started() const { return pid_ > 0; }

  /// Waits until the program has unblocked the signal, which was blocked at its start.
  [[nodiscard]] bool settles(int signal) const {
    return within(std::chrono::seconds(20), [&] { return !has(signal, "SigBlk:"); });
  }

  /// Returns the exit status, or nothing after a second.
  std::optional<int> end_by(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    const bool ended =
        within(std::chrono::seconds(1), [&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) return std::nullopt;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  template <typename Condition>
  static bool within(std::chrono::seconds most, Condition holds) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  [[nodiscard]] bool has(int signal, std::string_view set) const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with(set)) continue;
      return (std::stoull(line.substr(set.size()), nullptr, 16) >> (signal - 1) & 1) != 0;
    }
    return false;
  }

  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

TEST(Surroundings, SignalsEndItWhereverItWaits) {
  for (const bool is_first : {false, true}) {
    for (const int signal : {SIGINT, SIGTERM}) {
      WaitingProgram program(is_first);
      if (is_first && !program.has_started()) {
        GTEST_SKIP() << "clone with CLONE_NEWPID and CLONE_NEWUSER is not permitted";
      }
      ASSERT_TRUE(program.settles(signal));
      EXPECT_EQ(program.end_by(signal), 128 + signal) << is_first;
    }
  }
}

/// The signal may come at any point. The program may end before, but never goes on.
TEST(Surroundings, SignalsEndVerbsInEveryPhase) {
  for (const std::string arguments : {"inspect", "inspect behaviour", "trace", "completions zsh"}) {
    for (int delay_ms = 0; delay_ms <= 100; delay_ms += 20) {
      const test::Outcome outcome = test::run_command(
          "timeout --signal=TERM --kill-after=1.5 " + std::to_string(delay_ms / 1000.0 + 0.001) +
          ' ' + MUXLAB_BINARY + ' ' + arguments + " >/dev/null 2>&1");
      EXPECT_THAT(outcome.exit_code, testing::AnyOf(0, 124)) << arguments << ' ' << delay_ms;
    }
  }
}

}  // namespace
}  // namespace muxlab
