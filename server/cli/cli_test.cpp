#include "server/cli/cli.hpp"

#include <gtest/gtest.h>

#include "backends/parts/failure.hpp"
#include "server/cli/verb.hpp"

namespace muxlab::cli {
namespace {

using namespace std::chrono_literals;

template <typename Parse>
std::string failure_of(Parse parse) {
  try {
    parse();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::usage);
    return failure.what();
  }
  return "";
}

TEST(Cli, ReadsCounts) {
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_count("64"), 64U);
  EXPECT_EQ(parse_count("10k"), 10'000U);
  EXPECT_EQ(parse_count("1.5K"), 1'500U);
  EXPECT_EQ(parse_count("2m"), 2'000'000U);
  EXPECT_EQ(parse_count("1.001k"), 1'001U) << "which no double is";
}

TEST(Cli, ReadsSizesInPowersOfTwo) {
  EXPECT_EQ(parse_size("64"), 64U);
  EXPECT_EQ(parse_size("4k"), 4096U);
  EXPECT_EQ(parse_size("1m"), 1'048'576U);
}

TEST(Cli, ReadsDurations) {
  EXPECT_EQ(parse_duration("0"), 0ns);
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1.001s"), 1001ms) << "which no double is";
}

TEST(Cli, RejectsWhatIsNoNumber) {
  for (const char* text : {"", "-1", "k", "1x", "1 k", "0.5", "1e3", "nan", "99999999999999999999",
                           "1.2.3", "0x10", "1k2"}) {
    EXPECT_NE(failure_of([&] { parse_count(text); }), "") << text;
  }
  for (const char* text : {"5", "-5s", "s", "5 s", "5h", ""}) {
    EXPECT_NE(failure_of([&] { parse_duration(text); }), "") << text;
  }
}

TEST(Cli, ReadsLists) {
  EXPECT_EQ(parse_list("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(parse_list("a,b,c"), (std::vector<std::string>{"a", "b", "c"}));
  for (const char* text : {"", ",", "a,", ",a", "a,,b"}) {
    EXPECT_NE(failure_of([&] { parse_list(text); }), "") << text;
  }
}

TEST(Cli, ShowsWhatItReads) {
  for (const char* text : {"0", "64", "10k", "1m", "1500"}) {
    EXPECT_EQ(show_count(parse_count(text)), text);
  }
  for (const char* text : {"0", "250us", "500ms", "5s", "1.5s", "1.001s", "120s"}) {
    EXPECT_EQ(show_duration(parse_duration(text)), text);
  }
}

TEST(Cli, NamesTheOptionTheValueAndTheBounds) {
  CLI::App app;
  std::uint64_t threads = 1;
  std::vector<std::uint64_t> connections = {100};
  add_count(app, "--threads", threads, {1, 8}, "");
  add_counts(app, "--connections", connections, {1, 20'000}, "");
  app.parse("--connections 1k,5k --threads 4");
  EXPECT_EQ(threads, 4U);
  EXPECT_EQ(connections, (std::vector<std::uint64_t>{1000, 5000}));
  EXPECT_EQ(failure_of([&] { app.parse("--threads 9"); }),
            "--threads 9 is out of range: from 1 to 8");
  EXPECT_EQ(failure_of([&] { app.parse("--threads many"); }),
            "--threads \"many\" is not a count such as 64, 10k or 1m");
  EXPECT_EQ(failure_of([&] { app.parse("--connections 1k,0"); }),
            "--connections 0 is out of range: from 1 to 20000");
  EXPECT_EQ(connections, (std::vector<std::uint64_t>{1000, 5000})) << "kept when the new is bad";
}

TEST(Cli, TakesOnlyTheNamesOfAClosedList) {
  Verb app;
  std::string one = "pipe";
  std::vector<std::string> several;
  add_text(app, "--notify", one, "KIND", "").one_of({"eventfd", "pipe"});
  add_list(app, "--engine", several, "").one_of({"auto", "epoll"});
  app.parse("--notify eventfd --engine epoll,auto");
  EXPECT_EQ(one, "eventfd");
  EXPECT_EQ(several, (std::vector<std::string>{"epoll", "auto"}));
  EXPECT_EQ(failure_of([&] { app.parse("--notify smoke"); }),
            "--notify smoke is unknown: there are eventfd, pipe");
  EXPECT_EQ(failure_of([&] { app.parse("--engine epoll,kqueue"); }),
            "--engine kqueue is unknown: there are auto, epoll");
}

}  // namespace
}  // namespace muxlab::cli
