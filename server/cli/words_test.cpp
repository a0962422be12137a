#include "server/cli/words.hpp"

#include <gtest/gtest.h>

#include "server/testing/program.hpp"

namespace muxlab {
namespace {

TEST(Words, HaveNoControlCharactersOnALine) {
  EXPECT_EQ(one_line("a\nb\033[31mc\x7f\t"), "a b [31mc  ");
  EXPECT_EQ(one_line("\xc2\x9b"
                     "31m"),
            "  31m")
      << "a control sequence of two bytes";
  EXPECT_EQ(one_line("Größe ±1"), "Größe ±1");
}

/// Checks that a shell takes any text as exactly one word.
TEST(Words, AreOneWordToAShell) {
  EXPECT_EQ(shell_word("muxlab-results/a,b=3%"), "muxlab-results/a,b=3%");
  for (const std::string word : {"", "a b", "< touch x #", "| id", "`id`", "$(id)", "a'b", "a\"b",
                                 "'", "\\", "*", "~", "a;b", "&", "ü"}) {
    EXPECT_EQ(test::run_command("printf %s " + shell_word(word)).output, word);
  }
  EXPECT_EQ(shell_word("a\nb"), "'a'$'\\012''b'");
}

TEST(Words, AreCutBetweenCharacters) {
  EXPECT_EQ(cut_to("0.90±0.01", 5), "0.90±");
  EXPECT_EQ(cut_to("0.90±0.01", 4), "0.90");
  EXPECT_EQ(cut_to("0.90", 9), "0.90");
  EXPECT_EQ(cut_to("±", 0), "");
}

}  // namespace

namespace {

TEST(Progress, ShowsTimesAsPeopleSayThem) {
  EXPECT_EQ(show_time(std::chrono::milliseconds(1200)), "2 s");
  EXPECT_EQ(show_time(std::chrono::seconds(125)), "2 min 5 s");
}

}  // namespace

}  // namespace muxlab
