#include "server/cli/man_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "server/cli/test_help.hpp"
#include "server/cli/verb.hpp"

namespace muxlab {
namespace {

using testing::HasSubstr;

/// A folder of pages; removed at the end of the test.
class ManPages : public testing::Test {
 protected:
  ManPages() {
    std::string name = testing::TempDir() + "man-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The text of a page as man(1) shows it, without emphasis and line ends.
  std::string shown(const std::string& file) const {
    const std::string page = (folder_ / file).string();
    const test::Outcome warned = test::run_shell("groff -man -ww -Tutf8 -z " + page);
    EXPECT_EQ(warned.output, "") << page;
    EXPECT_EQ(warned.exit_code, 0) << page << ": groff-base has groff";
    return test::run_shell("groff -man -Tascii -P-cbou -rLL=1000n -rHY=0 " + page +
                           " | tr --squeeze-repeats ' \\n' ' '")
        .output;
  }

  std::filesystem::path folder_;
};

TEST_F(ManPages, HaveEveryVerbAndEveryOptionOfTheHelpText) {
  const test::Outcome written = test::run("man --out " + folder_.string());
  ASSERT_EQ(written.exit_code, 0) << written.output;
  const std::string program = shown("muxlab.1");
  for (const std::string& verb : test::verbs_of_help()) {
    EXPECT_THAT(program, HasSubstr("muxlab-" + verb + "(1)"));
    const std::string page = shown("muxlab-" + verb + ".1");
    for (const std::string& option : test::options_of_help(verb)) {
      EXPECT_THAT(page, HasSubstr(' ' + option + ' ')) << verb;
    }
    for (const char* heading :
         {" SYNOPSIS muxlab ", " DESCRIPTION ", " OPTIONS ",
          " EXIT STATUS 0 Fine. 1 Failed. 2 Usage.", " SEE ALSO muxlab(1), "}) {
      EXPECT_THAT(page, HasSubstr(heading)) << verb;
    }
    std::ifstream file(folder_ / ("muxlab-" + verb + ".1"));
    const std::string roff{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(test::run("man " + verb).output, roff);
  }
  EXPECT_THAT(shown("muxlab-bench.1"), HasSubstr(" FILES muxlab-results/NAME-TIME "));
}

TEST_F(ManPages, TellDefaultsAndWhatGoesWithWhat) {
  ASSERT_EQ(test::run("man --out " + folder_.string()).exit_code, 0);
  const std::string serve = shown("muxlab-serve.1");
  EXPECT_THAT(serve, HasSubstr("--drain DURATION How long to wait at the end for clients to end "
                               "their side. The default is 5s."));
  EXPECT_THAT(serve, HasSubstr("The default is epoll-lt."));
  EXPECT_THAT(serve, HasSubstr("Known are select, poll, epoll-lt,"));
  EXPECT_THAT(serve, HasSubstr("Not with --port."));
  EXPECT_THAT(shown("muxlab-load.1"),
              HasSubstr("SYNOPSIS muxlab load --connect ADDRESS --connections COUNT [OPTION]..."));
  EXPECT_THAT(shown("muxlab-compare.1"), HasSubstr("muxlab compare [OPTION]... BEFORE AFTER"));
}

/// An example that does not work teaches the wrong thing.
TEST_F(ManPages, ExamplesAreOfVerbsAndOptionsThatThereAre) {
  static const std::regex kOption("--[a-z-]+");
  std::size_t examples = 0;
  for (const std::string& verb : test::verbs_of_help()) {
    const std::set<std::string> options = test::options_of_help(verb);
    const auto lines = test::lines_below(test::run(verb + " --help").output, "Examples:");
    for (const std::string& line : lines) {
      if (!line.starts_with("  muxlab ")) continue;
      ++examples;
      EXPECT_THAT(line, testing::StartsWith("  muxlab " + verb));
      for (std::sregex_iterator option(line.begin(), line.end(), kOption), end; option != end;
           ++option) {
        EXPECT_TRUE(options.contains(option->str())) << line;
      }
    }
  }
  EXPECT_GE(examples, 10U);
}

/// A page must show what was written, whatever roff takes for its own.
TEST_F(ManPages, ShowTextAsItIs) {
  cli::Verb program("All", "muxlab");
  const std::string odd = R"(.dot 'quoted' \n \fB a-b "c" `d` ~ ^ $HOME)";
  CLI::App& verb = cli::add_verb(program, "odd", "Odd", [] {});
  bool flag = false;
  cli::add_flag(verb, "--flag", flag, odd);
  cli::explain(
      verb,
      {.description = "'" + odd, .examples = {{odd, "'"}}, .details = odd + "\n  " + odd + '\n'});
  for (const ManPage& page : man_pages(describe(program))) {
    std::ofstream(folder_ / page.file) << page.roff;
  }
  const std::string page = shown("muxlab-odd.1");
  EXPECT_THAT(page, HasSubstr("DESCRIPTION Odd. '" + odd + ' ' + odd + ' ' + odd + " OPTIONS"));
  EXPECT_THAT(page, HasSubstr("--flag " + odd + ". EXIT"));
  EXPECT_THAT(page, HasSubstr("EXAMPLES " + odd + " '. SEE"));
}

TEST_F(ManPages, AFolderThatIsNotThereIsSaid) {
  const test::Outcome outcome = test::run("man --out " + (folder_ / "nowhere").string());
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.output, HasSubstr("cannot write " + (folder_ / "nowhere").string()));
  EXPECT_EQ(test::run("man frobnicate").exit_code, 2);
}

}  // namespace
}  // namespace muxlab
