#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "server/testing/program.hpp"

/// Compares the calls that `muxlab trace` and strace(1) report for the same run.
namespace muxlab::trace {
namespace {

using TracedJson = nlohmann::ordered_json;

/// "recv = 64" or "recv = EAGAIN", by thread id.
using CallsOfThreads = std::map<int, std::vector<std::string>>;

/// System calls, and the C functions that make them.
const std::map<std::string, std::string> kFunctions = {
    {"epoll_wait", "epoll_wait"},
    {"epoll_pwait", "epoll_pwait"},
    {"poll", "poll"},
    {"pselect6", "select"},
    {"select", "select"},
    {"io_uring_enter", "io_uring_enter"},
    {"epoll_ctl", "epoll_ctl"},
    {"recvfrom", "recv"},
    {"read", "read"},
    {"readv", "readv"},
    {"recvmsg", "recvmsg"},
    {"sendto", "send"},
    {"write", "write"},
    {"writev", "writev"},
    {"sendmsg", "sendmsg"},
    {"accept4", "accept4"},
    {"close", "close"},
    {"shutdown", "shutdown"},
    {"getsockopt", "getsockopt"},
    {"setsockopt", "setsockopt"},
    {"ioctl", "ioctl"},
};

std::string traced_names() {
  std::string names = "openat,io_uring_setup";
  for (const auto& [name, function] : kFunctions) names += ',' + name;
  return names;
}

/// Reads the output of strace -f: a line for each call, or two if another thread interrupted it.
class StraceReader {
 public:
  explicit StraceReader(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) take(line);
  }

  [[nodiscard]] const CallsOfThreads& calls() const { return calls_; }

 private:
  void take(const std::string& line) {
    int thread = 0;
    const auto id = std::from_chars(line.data(), line.data() + line.size(), thread);
    std::string text(static_cast<const char*>(id.ptr));
    text.erase(0, text.find_first_not_of(' '));
    const std::string unfinished = " <unfinished ...>";
    if (text.ends_with(unfinished)) {
      begun_[thread] = text.substr(0, text.size() - unfinished.size());
      return;
    }
    if (text.starts_with("<... ")) {
      text = begun_[thread] + text.substr(text.find("resumed>") + 8);
    }
    add(thread, text);
  }

  /// Adds a call. `text` is "name(arguments) = result", maybe with an explanation.
  void add(int thread, const std::string& text) {
    const std::string name = text.substr(0, text.find('('));
    const std::size_t sign = text.rfind(" = ");
    if (sign == std::string::npos || text[0] == '+' || text[0] == '-') return;  // a signal, an end
    std::istringstream words(text.substr(sign + 3));
    std::string result, error;
    words >> result >> error;
    if (name == "openat" || name == "io_uring_setup")
      return note_opened(thread, name, text, result);
    const auto function = kFunctions.find(name);
    if (function == kFunctions.end() || is_of_others(thread, name, text)) return;
    calls_[thread].push_back(
        fmt::format("{} = {}", function->second, result == "-1" ? error : result));
  }

  /// Excludes rings, which liburing closes itself, and files that the C library reads.
  void note_opened(int thread, const std::string& name, const std::string& text,
                   const std::string& result) {
    const bool is_own = name == "openat" && text.find("\"/proc") == std::string::npos &&
                        text.find("\"/sys") == std::string::npos;
    if (!is_own) of_others_[thread].insert(result);
  }

  bool is_of_others(int thread, const std::string& name, const std::string& text) {
    std::string fd = text.substr(name.size() + 1);
    fd.erase(std::min(fd.find_first_of(",)"), fd.size()));
    std::set<std::string>& known = of_others_[thread];
    if (!known.contains(fd) || (name != "close" && name != "read")) return false;
    if (name == "close") known.erase(fd);
    return true;
  }

  CallsOfThreads calls_;
  std::map<int, std::string> begun_;
  std::map<int, std::set<std::string>> of_others_;
};

CallsOfThreads calls_of(const TracedJson& trace) {
  CallsOfThreads calls;
  for (const auto& thread : trace["threads"]) calls[thread];
  for (const auto& event : trace["events"]) {
    if (event["kind"] != "returned") continue;
    const int thread = trace["threads"][event["thread"].get<std::size_t>()];
    const auto name = event["call"].get<std::string>();
    calls[thread].push_back(event["error"].is_string()
                                ? fmt::format("{} = {}", name, event["error"].get<std::string>())
                                : fmt::format("{} = {}", name, event["result"].get<int>()));
  }
  return calls;
}

class StraceOf : public testing::TestWithParam<const Backend*> {};

/// One step per wait: below strace the server does not stand still between steps.
constexpr const char* kScript =
    "connect a\\nwait\\nsend a 64\\nwait\\nreceive a 64\\nwait\\nsend a 40k\\nwait\\n"
    "receive a 40k\\nwait\\nend a\\nwait\\nclose a\\nwait\\nconnect b\\nwait\\nreset b\\n";

TEST_P(StraceOf, AgreesByNameAndResult) {
  if (std::system("strace -f -o /dev/null true >/dev/null 2>&1") != 0) {  // NOLINT
    GTEST_SKIP() << "strace is missing or not permitted here";
  }
  if (!GetParam()->probe().works) GTEST_SKIP();
  const std::string path = fmt::format("{}/strace.{}", testing::TempDir(), GetParam()->name);
  const test::Outcome outcome =
      test::run(fmt::format("trace --backend {} --script - --json", GetParam()->name),
                fmt::format("printf '{}' | ASAN_OPTIONS=\"$ASAN_OPTIONS:detect_leaks=0\" strace -f "
                            "--seccomp-bpf -qq -e trace={} -o {}",
                            kScript, traced_names(), path),
                "");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const TracedJson trace = TracedJson::parse(outcome.output)["traces"][0];
  const StraceReader strace(path);
  for (const auto& [thread, calls] : calls_of(trace)) {
    ASSERT_TRUE(strace.calls().contains(thread));
    EXPECT_EQ(calls, strace.calls().at(thread));
    EXPECT_FALSE(calls.empty());
  }
  std::remove(path.c_str());
}

INSTANTIATE_TEST_SUITE_P(Trace, StraceOf, testing::ValuesIn(backends()), [](const auto& of) {
  std::string name(of.param->name);
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace muxlab::trace
