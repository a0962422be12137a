#include "server/trace/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backends/parts/failure.hpp"

namespace muxlab::trace {
namespace {

using testing::ElementsAre;

std::vector<std::string> descriptions(std::string_view text) {
  std::vector<std::string> all;
  for (const Step& step : parse_script(text, "script")) all.push_back(describe(step));
  return all;
}

/// Returns the message about a bad script.
std::string complaint(std::string_view text) try {
  parse_script(text, "script");
  return "nothing";
} catch (const Failure& failure) {
  EXPECT_EQ(failure.code(), ExitCode::usage);
  return failure.what();
}

TEST(TraceScript, HasAStepOnEachLine) {
  EXPECT_THAT(descriptions("connect a\nsend a 4k\nwait\nreceive a 64\nend a\nclose a\n"),
              ElementsAre("connect a", "send a 4096", "wait", "receive a 64", "end a", "close a"));
  EXPECT_THAT(descriptions("connect a\nreset a"), ElementsAre("connect a", "reset a"));
}

TEST(TraceScript, HasCommentsAndBlankLines) {
  const std::vector<Step> steps =
      parse_script("# two clients\n\n  connect\ta  # the first\r\nconnect b2\n", "script");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].client, "a");
  EXPECT_EQ(steps[0].line, 3U);
  EXPECT_EQ(steps[1].client, "b2");
  EXPECT_EQ(steps[1].line, 4U);
}

TEST(TraceScript, TheDefaultOneIsGood) {
  EXPECT_EQ(parse_script(kDefaultScript, "default").front().action, Action::connect);
}

TEST(TraceScript, AConnectionCanComeAgain) {
  EXPECT_THAT(descriptions("connect a\nend a\nclose a\nconnect a\nsend a 1\n").back(), "send a 1");
}

TEST(TraceScript, SaysWhatIsWrongAndWhatWouldBeRight) {
  EXPECT_EQ(complaint("connect a\nsned a 64\n"),
            "script:2: there is no step \"sned\"; there are connect send receive end close reset "
            "wait");
  EXPECT_EQ(complaint("connect a\nsend a\n"),
            "script:2: \"send a\" has 2 words; it is written as in \"send a 64\"");
  EXPECT_EQ(complaint("connect a b\n"),
            "script:1: \"connect a b\" has 3 words; it is written as in \"connect a\"");
  EXPECT_EQ(complaint("connect a\nsend a many\n"),
            "script:2: \"many\" is not a size in bytes such as 64, 4k or 1m; it is a number of "
            "bytes");
  EXPECT_EQ(complaint("connect a\nsend a 0\n"),
            "script:2: 0 bytes cannot be sent or received; from 1 to 65536 can");
  EXPECT_EQ(
      complaint("connect a-b\n"),
      "script:1: \"a-b\" is no name of a client; it has letters and digits, 16 at most, as in "
      "a or client7");
  EXPECT_EQ(complaint("connect epoll\n"),
            "script:1: a descriptor of the server is called \"epoll\"; choose another name");
  EXPECT_EQ(complaint("# nothing\n"), "script:1: there is no step; begin with connect a");
  EXPECT_EQ(complaint(""), "script:1: there is no step; begin with connect a");
}

TEST(TraceScript, CanBeCarriedOut) {
  EXPECT_EQ(complaint("send a 64\n"), "script:1: a is not connected; connect a first");
  EXPECT_EQ(complaint("connect a\nclose a\nend a\n"),
            "script:3: a is not connected; connect a first");
  EXPECT_EQ(complaint("connect a\nconnect a\n"),
            "script:2: a is connected; close it first, or name another");
  EXPECT_EQ(complaint("connect a\nend a\nsend a 1\n"),
            "script:3: a has ended its side; send before that");
  EXPECT_EQ(complaint("connect a\nend a\nend a\n"),
            "script:3: a has ended its side; it can be closed");
  EXPECT_EQ(complaint("connect a\nsend a 64\nreceive a 65\n"),
            "script:3: a has 64 bytes to receive, not 65; a client receives only bytes that it "
            "sent");
  EXPECT_EQ(complaint("connect a\nsend a 64k\nsend a 1\n"),
            "script:3: a would have 65537 bytes to receive; receive before there are more than "
            "65536");
}

}  // namespace
}  // namespace muxlab::trace
