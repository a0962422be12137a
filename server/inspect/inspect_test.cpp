#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "server/testing/program.hpp"

/// `muxlab inspect` as a program, also with features really switched off.
namespace muxlab {
namespace {

using InspectJson = nlohmann::ordered_json;
using test::Outcome;

InspectJson inspect_json(const std::string& options = "", const std::string& prefix = "") {
  const Outcome outcome = test::run("inspect --json " + options, prefix, "2>/dev/null");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  return InspectJson::parse(outcome.output);
}

const InspectJson& named(const InspectJson& all, const std::string& name) {
  for (const InspectJson& one : all) {
    if (one["name"] == name) return one;
  }
  throw std::out_of_range("nothing is named " + name);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Inspect, EveryBackendIsMadeAndEchoes) {
  const InspectJson found = inspect_json();
  EXPECT_EQ(found["backends"].size(), 13U);
  for (const InspectJson& backend : found["backends"]) {
    EXPECT_EQ(backend["status"], "works") << backend;
    EXPECT_EQ(backend["constructed"], true) << backend;
    EXPECT_EQ(backend["live_echo"], "passed") << backend;
    EXPECT_GE(backend["max_connections"].get<int>(), 1000) << backend;
    EXPECT_NE(backend["bound_by"], "") << backend;
    EXPECT_EQ(backend["threading"].size() + backend["threading_unsupported"].size(), 5U);
    EXPECT_GE(backend["threading"].size(), 4U) << backend;
  }
}

TEST(Inspect, TriesWhatNoListTells) {
  const InspectJson found = inspect_json("--backends poll");
  for (const char* name : {"EPOLLEXCLUSIVE", "epoll_pwait2"}) {
    EXPECT_EQ(named(found["epoll"]["tried"], name)["works"], true) << name;
  }
  const InspectJson& ring = found["io_uring"];
  for (const char* name :
       {"multishot accept", "multishot receive", "multishot poll", "buffer ring"}) {
    EXPECT_EQ(named(ring["tried"], name)["works"], true) << name;
  }
  EXPECT_EQ(named(ring["setup"], "DEFER_TASKRUN")["works"], true);
  EXPECT_GE(ring["operations"]["kernel"], 45) << "Linux 6.1 has as many, and the program needs it";
  EXPECT_EQ(ring["operations"]["kernel"].get<int>() +
                static_cast<int>(ring["operations"]["only_headers"].size()),
            ring["operations"]["headers"].get<int>() +
                static_cast<int>(ring["operations"]["only_kernel"].size()));
  const InspectJson& library = found["libevent"];
  EXPECT_EQ(named(library["methods"], "epoll")["features"],
            (InspectJson{"ET", "O1", "EARLY_CLOSE"}));
  EXPECT_EQ(library["default_method"], "epoll");
}

TEST(Inspect, SummaryIsOneLine) {
  const Outcome outcome = test::run("inspect --summary");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(outcome.output.starts_with("13 of 13 backends work; at most ")) << outcome.output;
  EXPECT_EQ(outcome.output.find('\n') + 1, outcome.output.size());
}

TEST(Inspect, ShowsReasonAndCureWhenTheEnvironmentDisablesAMethod) {
  const InspectJson found = inspect_json("", "EVENT_NOEPOLL=1");
  for (const char* name : {"libevent-epoll", "bufferevent"}) {
    const InspectJson& backend = named(found["backends"], name);
    EXPECT_EQ(backend["status"], "unavailable");
    EXPECT_EQ(backend["compiled_in"], true);
    EXPECT_EQ(backend["constructed"], false);
    EXPECT_EQ(backend["live_echo"], "not tried");
    EXPECT_EQ(backend["fix"], "unset the environment variable EVENT_NOEPOLL");
  }
  EXPECT_EQ(named(found["backends"], "libevent-poll")["live_echo"], "passed");
  EXPECT_EQ(named(found["libevent"]["methods"], "epoll")["usable"], false);
  EXPECT_EQ(found["libevent"]["default_method"], "poll");
  EXPECT_EQ(named(found["libevent"]["environment"], "EVENT_NOEPOLL")["value"], "1");
  EXPECT_TRUE(contains(test::run("inspect", "EVENT_NOEPOLL=1").output,
                       "fix: unset the environment variable EVENT_NOEPOLL"));
}

/// Returns how many objects have a `fix`. Expects the deprecated `mend` with the same value in
/// each.
int count_fixes(const InspectJson& json) {
  int count = 0;
  for (const InspectJson& inner : json) {
    if (inner.is_structured()) count += count_fixes(inner);
  }
  if (!json.is_object()) return count;
  EXPECT_EQ(json.contains("fix"), json.contains("mend")) << json;
  if (!json.contains("fix") || !json.contains("mend")) return count;
  EXPECT_EQ(json["fix"], json["mend"]) << json;
  return count + 1;
}

TEST(Inspect, KeepsTheDeprecatedKeyOfEachFix) {
  const Outcome outcome = test::run("inspect --json --for 10", "EVENT_NOEPOLL=1", "2>/dev/null");
  EXPECT_EQ(outcome.exit_code, 3) << "libevent-epoll is unavailable";
  const InspectJson found = InspectJson::parse(outcome.output);
  for (const char* part : {"backends", "controls", "epoll", "io_uring", "libevent"}) {
    EXPECT_GT(count_fixes(found[part]), 0) << part;
  }
  for (const char* part : {"needs", "backends"}) {
    EXPECT_GT(count_fixes(found["feasibility"][part]), 0) << part;
  }
}

TEST(Inspect, TellsThatTheChangelistMakesAnotherMethod) {
  const InspectJson found =
      inspect_json("--backends libevent-poll", "EVENT_EPOLL_USE_CHANGELIST=1");
  EXPECT_EQ(found["libevent"]["default_method"], "epoll (with changelist)");
  EXPECT_EQ(named(found["libevent"]["methods"], "epoll")["fix"],
            "unset the environment variable EVENT_EPOLL_USE_CHANGELIST");
}

TEST(Inspect, WorksWhereIoUringIsForbidden) {
  const Outcome outcome = test::run_without_io_uring("inspect --json", EPERM);
  EXPECT_EQ(outcome.exit_code, 0);
  const InspectJson found = InspectJson::parse(outcome.output);
  EXPECT_EQ(found["machine"]["seccomp_mode"], 2);
  EXPECT_EQ(found["io_uring"]["status"], "unavailable");
  EXPECT_TRUE(contains(found["io_uring"]["reason"], "seccomp")) << found["io_uring"];
  for (const InspectJson& backend : found["backends"]) {
    const bool ring = backend["name"].get<std::string>().starts_with("io-uring");
    EXPECT_EQ(backend["status"], ring ? "unavailable" : "works") << backend;
    EXPECT_EQ(backend["live_echo"], ring ? "not tried" : "passed") << backend;
    EXPECT_EQ(backend["fix"].empty(), false) << backend;
  }
  const Outcome text = test::run_without_io_uring("inspect", EPERM);
  EXPECT_TRUE(contains(text.output, "forbidden")) << text.output;
  EXPECT_TRUE(contains(text.output, "a filter is in force")) << text.output;
}

TEST(Inspect, WorksWhereTheKernelKnowsNoIoUring) {
  const Outcome outcome = test::run_without_io_uring("inspect --json", ENOSYS);
  EXPECT_EQ(outcome.exit_code, 0);
  const InspectJson found = InspectJson::parse(outcome.output);
  EXPECT_EQ(found["io_uring"]["status"], "unavailable");
  EXPECT_TRUE(contains(found["io_uring"]["fix"], "Linux 6.1")) << found["io_uring"];
  EXPECT_EQ(named(found["backends"], "io-uring")["status"], "unavailable");
  EXPECT_EQ(named(found["backends"], "asio")["live_echo"], "passed");
}

TEST(Inspect, WorksWithoutAnyMethodOfLibevent) {
  const Outcome outcome =
      test::run("inspect --json", "EVENT_NOEPOLL=1 EVENT_NOPOLL=1 EVENT_NOSELECT=1");
  EXPECT_EQ(outcome.exit_code, 0);
  const InspectJson found = InspectJson::parse(outcome.output);  // fails with output on stderr
  EXPECT_TRUE(found["libevent"]["default_method"].is_null()) << found["libevent"];
  EXPECT_EQ(found["libevent"]["environment"].size(), 3U);
  for (const InspectJson& backend : found["backends"]) {
    const auto name = backend["name"].get<std::string>();
    const bool on_libevent = name.starts_with("libevent") || name == "bufferevent";
    EXPECT_EQ(backend["status"], on_libevent ? "unavailable" : "works") << backend;
  }
}

TEST(Inspect, WorksWithSixtyFourDescriptors) {
  const InspectJson found = inspect_json("", "ulimit -n 64;");
  for (const InspectJson& backend : found["backends"]) {
    EXPECT_EQ(backend["live_echo"], "passed") << backend;
    EXPECT_EQ(backend["max_connections"], 43) << backend;
    EXPECT_EQ(backend["bound_by"], "the limit of 64 descriptors") << backend;
  }
}

TEST(Inspect, WorksWithoutPrivileges) {
  const InspectJson found = inspect_json("--for 10", test::without_privileges());
  for (const InspectJson& backend : found["backends"]) {
    EXPECT_EQ(backend["live_echo"], "passed") << backend;
  }
  EXPECT_EQ(found["feasibility"]["possible"], true) << found["feasibility"];
}

TEST(Inspect, SaysWhatLacksWhereNothingCanBeMade) {
  const Outcome outcome = test::run("inspect --json", "ulimit -n 16;", "2>/dev/null");
  EXPECT_EQ(outcome.exit_code, 3) << "none works";
  const InspectJson found = InspectJson::parse(outcome.output);
  const InspectJson& poll = named(found["backends"], "poll");
  EXPECT_EQ(poll["status"], "unavailable");
  EXPECT_EQ(poll["live_echo"], "failed");
  EXPECT_TRUE(contains(poll["reason"], "raise it to 22 or more with ulimit -n")) << poll;
}

TEST(Inspect, ChosenBackendsDecideTheExitCode) {
  EXPECT_EQ(test::run("inspect --backends poll,epoll-lt").exit_code, 0);
  EXPECT_EQ(test::run("inspect --backends libevent-epoll", "EVENT_NOEPOLL=1").exit_code, 3);
  const Outcome unknown = test::run("inspect --backends kqueue");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_TRUE(contains(unknown.output, "no backend \"kqueue\"; there are: select poll"));
}

TEST(Inspect, BreaksLinesOnlyForATerminal) {
  const Outcome piped = test::run("inspect");
  EXPECT_FALSE(contains(piped.output, "\033["));
  EXPECT_TRUE(
      contains(piped.output, "level-triggered: reports a descriptor as long as it is ready"));
  const Outcome narrow = test::run("inspect", "COLUMNS=80");
  std::istringstream lines(narrow.output);
  for (std::string line; std::getline(lines, line);) {
    const bool unbreakable = line.find_last_of(' ') < 60 || contains(line, "commit");
    EXPECT_TRUE(line.size() <= 80 || unbreakable) << line;
  }
}

/// Runs muxlab in a terminal that script(1) makes.
TEST(Inspect, ColoursATerminalUnlessToldNotTo) {
  const std::string in_terminal = "script --quiet --return --command \"";
  const auto output = [&](const std::string& variables) {
    return test::run("inspect --backends poll", in_terminal + variables, "\" /dev/null 2>&1")
        .output;
  };
  EXPECT_TRUE(contains(output("TERM=xterm"), "\033[32mpoll"));
  EXPECT_FALSE(contains(output("TERM=xterm NO_COLOR=1"), "\033["));
  EXPECT_FALSE(contains(output("TERM=dumb"), "\033["));
}

std::size_t entries_of(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator entries(folder);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

/// The folder is the working directory and TMPDIR. The test adopts orphans as a subreaper.
TEST(Inspect, LeavesNothingBehind) {
  std::string folder = testing::TempDir() + "inspect-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const std::size_t before = entries_of("/proc/self/fd");
  for (const char* arguments : {"inspect --json", "inspect --for 10", "inspect behaviour"}) {
    const Outcome outcome =
        test::run(arguments, fmt::format("cd {0}; TMPDIR={0} HOME={0}", folder));
    EXPECT_NE(outcome.output, "") << arguments;
    EXPECT_LE(outcome.exit_code, 3) << arguments << '\n' << outcome.output;
  }
  EXPECT_EQ(entries_of("/proc/self/fd"), before);
  EXPECT_EQ(entries_of(folder), 0U);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process that it started is still there";
  EXPECT_EQ(errno, ECHILD);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace muxlab
