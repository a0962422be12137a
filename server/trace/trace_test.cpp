#include "server/trace/trace.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "server/testing/program.hpp"
#include "server/trace/lines.hpp"

namespace muxlab::trace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwoClients =
    "connect a\nconnect b\nwait\nsend a 64\nsend b 32\nwait\nreceive b 32\nreset b\nwait\n"
    "send a 40k\nreceive a 41024\nend a\nwait\nclose a\n";

Trace traced(const Backend& backend, const char* script = kDefaultScript) {
  return make_trace(backend, parse_script(script, "script"));
}

/// Returns the lines without times.
std::vector<std::string> lines_of(const Trace& trace) {
  std::vector<std::string> lines;
  for (const Turn& turn : turns_of(trace)) {
    for (const auto& part : {turn.steps, turn.calls}) {
      for (const Line& line : part) {
        lines.push_back(line.actor + ": " + text_of(line));
        lines.insert(lines.end(), line.below.begin(), line.below.end());
      }
    }
  }
  return lines;
}

/// Returns the bytes that calls of that kind and completed receive requests moved.
std::uint64_t bytes_moved(const Trace& trace, Call kind) {
  std::uint64_t bytes = 0;
  for (const Event& event : trace.events) {
    if (event.kind != Event::Kind::returned) continue;
    const TracedCall& call = event.call;
    const bool is_connection = !call.arguments.empty() && call.arguments[0].size() == 1;
    if (call.call == kind && is_connection && call.result > 0) {
      bytes += static_cast<std::uint64_t>(call.result);
    }
    for (const RingRequest& done : call.completes) {
      if (kind == Call::read && done.operation == "recv" && *done.result > 0) {
        bytes += static_cast<std::uint64_t>(*done.result);
      }
    }
  }
  return bytes;
}

class TraceOf : public testing::TestWithParam<const Backend*> {
 protected:
  void SetUp() override {
    const Availability found = GetParam()->probe();
    if (!found.works) GTEST_SKIP() << found.reason;
  }
};

TEST_P(TraceOf, SaysWhatTheServerDid) {
  const Trace trace = traced(*GetParam());
  EXPECT_TRUE(trace.stood_still);
  EXPECT_EQ(trace.bytes_in, 192U);
  EXPECT_EQ(trace.bytes_out, 192U);
  EXPECT_EQ(bytes_moved(trace, Call::read), 192U);
  const bool sends_by_call = trace.calls[static_cast<std::size_t>(Call::write)] > 0;
  EXPECT_EQ(bytes_moved(trace, Call::write), sends_by_call ? 192U : 0U);

  std::array<std::uint64_t, kCallNames.size()> calls{};
  std::vector<std::string> steps;
  for (const Event& event : trace.events) {
    if (event.kind == Event::Kind::returned) ++calls[static_cast<std::size_t>(event.call.call)];
    if (event.kind == Event::Kind::step) steps.push_back(event.step);
  }
  EXPECT_EQ(calls, trace.calls) << "the trace and the counters differ";
  EXPECT_THAT(steps, ElementsAre("connect a", "send a 64", "receive a 64", "send a 64", "send a 64",
                                 "receive a 128", "end a", "close a", "stop"));
}

TEST_P(TraceOf, TellsOfEachStepBeforeWhatComesOfIt) {
  const std::vector<Turn> turns = turns_of(traced(*GetParam()));
  ASSERT_EQ(turns.size(), 6U) << "start, connect, send, two sends, end, stop";
  for (std::size_t i = 0; i + 1 < turns.size(); ++i) {
    EXPECT_EQ(turns[i].calls.back().result, "waits") << "it is idle before the next step";
  }
  for (std::size_t i = 1; i < turns.size(); ++i) {
    EXPECT_THAT(turns[i].calls.front().call, testing::StartsWith("... ")) << "it goes on";
  }
  EXPECT_NE(turns.back().calls.back().result, "waits") << "it has ended";
}

/// libevent's select and poll begin with a random descriptor.
bool draws_lots(const Backend& backend) {
  return backend.name == "libevent-select" || backend.name == "libevent-poll";
}

TEST_P(TraceOf, IsTheSameEachTime) {
  for (const char* script : {kDefaultScript, kTwoClients}) {
    if (script == kTwoClients && draws_lots(*GetParam())) continue;
    const Trace once = traced(*GetParam(), script);
    const Trace again = traced(*GetParam(), script);
    EXPECT_TRUE(once.stood_still && again.stood_still);
    EXPECT_EQ(lines_of(once), lines_of(again));
  }
}

/// Data that arrives before the wait is one event, and one receive takes it.
TEST_P(TraceOf, TwoMessagesBeforeOneWaitAreReceivedAtOnce) {
  const std::vector<Turn> turns = turns_of(traced(*GetParam()));
  const Turn& turn = turns[3];
  ASSERT_EQ(turn.steps.size(), 3U) << "a receive, and two sends";
  EXPECT_TRUE(std::ranges::any_of(turn.calls, [](const Line& line) {
    return line.result == "= 128" || std::ranges::any_of(line.below, [](const std::string& below) {
             return below.find("brings recv a: 128") != std::string::npos;
           });
  }));
}

INSTANTIATE_TEST_SUITE_P(Trace, TraceOf, testing::ValuesIn(backends()), [](const auto& of) {
  std::string name(of.param->name);
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(Trace, OfEpollIsWhatTheManualSays) {
  EXPECT_THAT(
      lines_of(traced(*find_backend("epoll-lt"), "connect a\nwait\nsend a 64\nwait\nreset a")),
      ElementsAre("server: epoll_ctl(epoll, ADD, stop, IN) = 0",
                  "server: epoll_ctl(epoll, ADD, listener, IN|EXCLUSIVE) = 0",
                  "server: epoll_wait(epoll, 1024, -1) waits",  //
                  "client: connect a",                          //
                  "server: ... epoll_wait = 1: listener IN",
                  "server: accept4(listener) = a",  //
                  "server: epoll_ctl(epoll, ADD, a, IN) = 0", "server: accept4(listener) = EAGAIN",
                  "server: epoll_wait(epoll, 1024, -1) waits",  //
                  "client: send a 64",                          //
                  "server: ... epoll_wait = 1: a IN",           //
                  "server: recv(a, 16384) = 64",                //
                  "server: send(a, 64) = 64",                   //
                  "server: epoll_wait(epoll, 1024, -1) waits",  //
                  "client: reset a",                            //
                  "server: ... epoll_wait = 1: a IN|ERR|HUP",   //
                  "server: recv(a, 16384) = ECONNRESET",        //
                  "server: epoll_ctl(epoll, DEL, a) = 0",       //
                  "server: close(a) = 0",                       //
                  "server: epoll_wait(epoll, 1024, -1) waits",  //
                  "muxlab: stop",                               //
                  "server: ... epoll_wait = 1: stop IN",        //
                  "server: epoll_ctl(epoll, DEL, stop) = 0",    //
                  "server: epoll_ctl(epoll, DEL, listener) = 0",
                  "server: accept4(listener) = EAGAIN",  //
                  "server: close(listener) = 0",         //
                  "server: epoll_ctl(epoll, ADD, timerfd, IN) = 0",
                  "server: close(timerfd) = 0",   //
                  "server: close(timerfd2) = 0",  //
                  "server: close(epoll) = 0"));
}

TEST(Trace, OfIoUringShowsWhatIsSubmittedAndCompleted) {
  const Backend& backend = *find_backend("io-uring");
  if (!backend.probe().works) GTEST_SKIP();
  const std::vector<std::string> lines = lines_of(traced(backend));
  EXPECT_THAT(lines, Contains("  submits accept listener, multishot"));
  EXPECT_THAT(lines, Contains("  brings accept listener: a, more to come"));
  EXPECT_THAT(lines, Contains("  submits recv a, into a buffer of the ring"));
  EXPECT_THAT(lines, Contains("  brings recv a: 64, in buffer 0"));
  EXPECT_THAT(lines, Contains(testing::StartsWith("  submits send a, 64 bytes")));
  EXPECT_THAT(lines, Contains("  brings recv a: 0"));
}

TEST(Trace, OfAConnectionThatIsLeftOpenShowsTheDrain) {
  const std::vector<std::string> lines =
      lines_of(traced(*find_backend("poll"), "connect a\nsend a 64\nreceive a 64\n"));
  EXPECT_THAT(lines, Contains("server: shutdown(a, SHUT_WR) = 0"));
  EXPECT_THAT(lines, Contains("client: close a"));
  EXPECT_THAT(lines, Contains("server: close(a) = 0"));
}

/// Returns the lines that begin with one of `marks`.
std::vector<std::string> marked(const std::string& text, std::string_view marks) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && marks.find(line[0]) != std::string_view::npos) lines.push_back(line);
  }
  return lines;
}

TEST(Trace, SideBySideMarksWhatDiffers) {
  const Trace level = traced(*find_backend("epoll-lt"));
  const Trace edge = traced(*find_backend("epoll-et"));
  const std::string text = versus_text(level, edge, {.width = std::string::npos, .colour = false});
  const std::string end = "* ... epoll_wait = 1: a IN ";
  EXPECT_THAT(marked(text, "*"), Contains(testing::StartsWith(end)));
  EXPECT_THAT(marked(text, "*"), Not(Contains(HasSubstr("recv"))));
  EXPECT_THAT(text, HasSubstr("\nclient: send a 64\nclient: send a 64\n"));
  EXPECT_TRUE(marked(versus_text(level, level, {.width = 120, .colour = false}), "*").empty());
}

TEST(Trace, SideBySideEndsAtTheWidth) {
  const Trace one = traced(*find_backend("poll"));
  const Trace other = traced(*find_backend("libuv"));
  for (const std::size_t width : {120U, 90U, 60U, 40U}) {
    std::istringstream stream(versus_text(one, other, {.width = width, .colour = false}));
    for (std::string line; std::getline(stream, line);) EXPECT_LE(line.size(), width) << line;
  }
}

TEST(Trace, LineByLineWhereItIsNarrow) {
  const Trace one = traced(*find_backend("epoll-lt"));
  const Trace other = traced(*find_backend("epoll-et"));
  const std::string text = versus_text(one, other, {.width = 60, .colour = false});
  EXPECT_THAT(marked(text, "<"), Contains("< ... epoll_wait = 1: a IN"));
  EXPECT_THAT(marked(text, ">"), Contains("> ... epoll_wait = 1: a IN|RDHUP"));
  EXPECT_THAT(text, HasSubstr("\n  recv(a, 16384) = 128\n"));
}

TEST(Trace, ColoursOnlyWhereAskedTo) {
  const Trace one = traced(*find_backend("select"));
  const Trace other = traced(*find_backend("poll"));
  const std::string red = "\033[31m";
  EXPECT_THAT(versus_text(one, other, {.width = 100, .colour = true}), HasSubstr(red));
  EXPECT_THAT(versus_text(one, other, {.width = 100, .colour = false}), Not(HasSubstr("\033")));
  const test::Outcome outcome = test::run("trace --backend poll --versus select", "NO_COLOR=1");
  EXPECT_THAT(outcome.output, Not(HasSubstr("\033")));
}

TEST(Trace, JsonHasTheEvents) {
  const auto json =
      nlohmann::ordered_json::parse(test::run("trace --backend poll --versus libuv --json").output);
  ASSERT_EQ(json["traces"].size(), 2U);
  EXPECT_EQ(json["traces"][1]["backend"], "libuv");
  EXPECT_EQ(json["script"][0], "connect a");
  const auto& last = json["traces"][0]["events"].back();
  EXPECT_EQ(last["kind"], "returned");
  EXPECT_EQ(last["call"], "close");
}

TEST(Trace, TextIsTheTimeLine) {
  const test::Outcome outcome = test::run("trace --backend poll", "COLUMNS=100");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("  client  send a 64\n"));
  EXPECT_THAT(outcome.output, HasSubstr("  server  ... poll   "));
  EXPECT_THAT(outcome.output,
              HasSubstr("\nwait 5, read 3, write 2, accept 3, other 4: 17 calls\n"));
  EXPECT_THAT(outcome.output, HasSubstr("\ndescriptors: listener "));
}

TEST(Trace, TakesItsScriptFromAFileOrStdin) {
  const std::string path = testing::TempDir() + "/trace_script";
  std::ofstream(path) << "connect a\nreset a\n";
  for (const std::string& script : {path, "- <" + path}) {
    const test::Outcome outcome = test::run("trace --script " + script);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("client  reset a\n"));
  }
}

TEST(Trace, RefusesWhatCannotBe) {
  const auto refused = [](const std::string& arguments, int code, const std::string& reason) {
    const test::Outcome outcome = test::run("trace " + arguments);
    EXPECT_EQ(outcome.exit_code, code) << arguments;
    EXPECT_THAT(outcome.output, HasSubstr(reason));
    EXPECT_EQ(std::ranges::count(outcome.output, '\n'), 1) << outcome.output;
  };
  refused("--backend epol", 2, "unknown backend epol: there are select poll");
  refused("--versus epol", 2, "unknown backend epol: there are select poll");
  refused("--backend blind-scan", 3, "backend blind-scan cannot be traced: it never sleeps");
  refused("--backend oracle", 3, "backend oracle cannot be traced: it never sleeps");
  refused("--script /nowhere", 2, "--script /nowhere cannot be read: name a file with steps");
  const test::Outcome bad = test::run("trace --script -", "echo snd a 64 |");
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.output, HasSubstr("stdin:1: there is no step \"snd\"; there are connect send"));
  EXPECT_EQ(test::run_without_io_uring("trace --backend io-uring", EPERM).exit_code, 3);
}

}  // namespace
}  // namespace muxlab::trace
