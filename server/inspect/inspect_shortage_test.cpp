#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "server/cli/build_stamp.hpp"
#include "server/testing/program.hpp"

/// Runs every verb short of descriptors, threads, memory, system calls or the loopback device. Each
/// must work, or name the missing resource in one line.
namespace muxlab {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kVerbs[] = {
    "inspect --backends poll", "serve --backend poll", "load --connect 127.0.0.1:1 --connections 1",
    "bench --backends poll --connections 1 --dry-run", "trace --backend poll"};

constexpr const char* kSanitizer = "a sanitizer needs threads, memory and system calls of its own";

/// Expects an exit code of the program and a message.
void expect_named(const test::Outcome& outcome, const std::string& what) {
  EXPECT_THAT(outcome.exit_code, AnyOf(0, 1, 3)) << what << '\n' << outcome.output;
  EXPECT_NE(outcome.output, "") << what;
  for (const char* const raw : {"terminate", "what():", "std::", "without a report"}) {
    EXPECT_THAT(outcome.output, Not(HasSubstr(raw))) << what;
  }
}

/// Returns a shell command that runs `prefix`, which ends in exec, and the program. Sends SIGTERM
/// to `serve` once it listens.
std::string command_of(const std::string& arguments, const std::string& prefix) {
  const std::string program = prefix + ' ' + MUXLAB_BINARY + ' ' + arguments;
  // Redirects first: a shell needs a descriptor above 9 for a redirection that it undoes.
  if (!arguments.starts_with("serve")) return "exec 2>&1; " + program;
  return "said=$(mktemp); (" + program +
         ") >$said 2>&1 & while kill -0 $! 2>/dev/null && ! grep -q listening $said; do sleep "
         "0.02; "
         "done; kill -TERM $! 2>/dev/null; wait $!; code=$?; cat $said; rm $said; exit $code";
}

TEST(Shortages, FewDescriptorsAreNamed) {
  for (const char* const verb : kVerbs) {
    for (int limit = 6; limit <= 20; ++limit) {
      const test::Outcome outcome =
          test::run_command(command_of(verb, "ulimit -n " + std::to_string(limit) + "; exec"));
      if (outcome.exit_code == 127) continue;  // the loader could not load the libraries
      expect_named(outcome, verb + std::string(" with ") + std::to_string(limit));
      if (outcome.exit_code == 0) continue;
      EXPECT_EQ(outcome.exit_code, 3) << verb << limit << outcome.output;
      EXPECT_THAT(outcome.output, HasSubstr("ulimit")) << verb << limit;
    }
  }
}

TEST(Shortages, InspectWithNineDescriptorsSaysSo) {
  const test::Outcome outcome = test::run_command(command_of("inspect", "ulimit -n 9; exec"));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output, HasSubstr("ulimit -n"));
}

TEST(Shortages, NoThreadOrProcessLeftIsNamed) {
  if (build_stamp.has_flag("-fsanitize")) GTEST_SKIP() << kSanitizer;
  const std::string other_user = "setpriv --reuid=54321 --clear-groups";
  const std::string why = test::why_not_permitted(other_user + " " + MUXLAB_BINARY + " --version");
  if (!why.empty()) GTEST_SKIP() << why;
  // The other user may not write to this folder, so bench leaves no file there.
  for (const char* const verb :
       {"inspect --backends io-uring,threads", "serve --backend poll", "trace --backend poll",
        "bench --backends poll --connections 1 --for 1s"}) {
    const test::Outcome outcome =
        test::run_command(command_of(verb, "exec prlimit --nproc=1:1 " + other_user));
    expect_named(outcome, verb);
    EXPECT_EQ(outcome.exit_code, 3) << verb << outcome.output;
    EXPECT_THAT(outcome.output, AnyOf(HasSubstr("ulimit -u is 1"), HasSubstr("cannot write")))
        << verb;
  }
}

TEST(Shortages, LittleAddressSpaceIsNamed) {
  if (build_stamp.has_flag("-fsanitize")) GTEST_SKIP() << kSanitizer;
  for (const char* const verb : kVerbs) {
    for (const int mib : {40, 60, 100}) {
      const test::Outcome outcome =
          test::run_command(command_of(verb, "ulimit -v " + std::to_string(mib << 10) + "; exec"));
      if (outcome.exit_code == 127) continue;  // the loader could not load the libraries
      expect_named(outcome, verb + std::string(" with ") + std::to_string(mib) + " MiB");
    }
  }
}

TEST(Shortages, ForbiddenCallsAreNamedOrDoneWithout) {
  if (build_stamp.has_flag("-fsanitize")) GTEST_SKIP() << kSanitizer;
  struct Case {
    const char* name;
    std::vector<long> calls;
  };
  const Case cases[] = {{"pidfd", {SYS_pidfd_open, SYS_pidfd_send_signal}},
                        {"clone3", {SYS_clone3}},
                        {"memfd_create", {SYS_memfd_create}},
                        {"timerfd_create", {SYS_timerfd_create}},
                        {"eventfd2", {SYS_eventfd2}},
                        {"signalfd4", {SYS_signalfd4}},
                        {"getrandom", {SYS_getrandom}},
                        {"sched_setaffinity", {SYS_sched_setaffinity}},
                        {"prlimit64", {SYS_prlimit64}},
                        {"epoll_create1", {SYS_epoll_create1}},
                        {"prctl", {SYS_prctl}},
                        {"close_range", {SYS_close_range}}};
  for (const Case& one : cases) {
    for (const int error : {EPERM, ENOSYS}) {
      for (const std::string verb : kVerbs) {
        expect_named(test::run_command_without(one.calls, error, command_of(verb, "exec")),
                     verb + " without " + one.name + " " + std::to_string(error));
      }
    }
  }
}

/// Without pidfds bench watches and signals its children with the older calls.
TEST(Shortages, ACampaignNeedsNoPidfd) {
  std::string name = testing::TempDir() + "pidfd-XXXXXX";
  const std::string folder = ::mkdtemp(name.data());
  const std::string bench = std::string(MUXLAB_BINARY) +
                            " bench --backends poll,epoll-lt --connections 1 --out " + folder;
  for (const int error : {EPERM, ENOSYS}) {
    const test::Outcome outcome =
        test::run_command_without({SYS_pidfd_open, SYS_pidfd_send_signal}, error,
                                  fmt::format("{}/{} --for 1s 2>&1", bench, error));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    const test::Outcome stopped = test::run_command_without(
        {SYS_pidfd_open, SYS_pidfd_send_signal}, error,
        fmt::format("timeout --preserve-status --kill-after=60 2 {}/stopped-{} --for 60m 2>&1",
                    bench, error));
    EXPECT_EQ(stopped.exit_code, 143) << stopped.output;
  }
  std::filesystem::remove_all(folder);
}

/// Returns a prefix that runs a command in its own network namespace, after `commands`.
std::string network_with(const std::string& commands) {
  return "unshare --map-root-user --net sh -c '" + commands + " exec \"$0\" \"$@\"'";
}

TEST(Shortages, OnlyTheIPv6LoopbackIsEnough) {
  const std::string network =
      network_with("ip link set lo up && ip address del 127.0.0.1/8 dev lo &&");
  const std::string why = test::why_not_permitted(network + " sh -c \"ip address | grep -q ::1\"");
  if (!why.empty()) GTEST_SKIP() << why;
  const test::Outcome all = test::run("inspect --summary", network);
  EXPECT_EQ(all.exit_code, 0) << all.output;
  EXPECT_THAT(all.output, testing::StartsWith("13 of 13 backends work;"));
  const test::Outcome traced = test::run("trace", network);
  EXPECT_EQ(traced.exit_code, 0) << traced.output;
  const test::Outcome atlas = test::run("inspect behaviour --json", network);
  EXPECT_EQ(atlas.exit_code, 0) << atlas.output;
  std::string name = testing::TempDir() + "network-XXXXXX";
  const std::string folder = ::mkdtemp(name.data());
  const test::Outcome bench = test::run(
      "bench --backends poll,epoll-lt --connections 2 --for 1s --out " + folder + "/x", network);
  EXPECT_EQ(bench.exit_code, 0) << bench.output;
  std::filesystem::remove_all(folder);
}

TEST(Shortages, NoLoopbackIsNamedInOneLine) {
  const std::string network = network_with("");
  const std::string why = test::why_not_permitted(network + " true");
  if (!why.empty()) GTEST_SKIP() << why;
  for (const char* const verb : {"inspect", "inspect --json", "inspect --summary", "trace",
                                 "inspect behaviour", "bench --dry-run --connections 1"}) {
    const test::Outcome outcome = test::run(verb, network);
    EXPECT_EQ(outcome.exit_code, 3) << verb;
    EXPECT_THAT(outcome.output, HasSubstr("the loopback device has neither 127.0.0.1 nor ::1"));
    EXPECT_EQ(std::ranges::count(outcome.output, '\n'), 1) << verb << outcome.output;
  }
}

}  // namespace
}  // namespace muxlab
