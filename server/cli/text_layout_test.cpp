#include "server/cli/text_layout.hpp"

#include <gtest/gtest.h>

namespace muxlab {
namespace {

constexpr TextLayout kForty{.width = 40, .colour = false};
constexpr TextLayout kEndless{.width = std::string::npos, .colour = false};

TEST(TextLayout, BreaksAtBlanksAndIndents) {
  EXPECT_EQ(kForty.wrap("the quick brown fox jumps over the lazy dog", 10),
            "the quick brown fox jumps over\n          the lazy dog");
  EXPECT_EQ(kForty.wrap("exactly as long as there is room", 8), "exactly as long as there is room");
  EXPECT_EQ(kEndless.wrap(std::string(500, 'x') + " y", 100), std::string(500, 'x') + " y");
}

TEST(TextLayout, AWordThatIsTooLongStandsAlone) {
  EXPECT_EQ(kForty.wrap("net.ipv4.a_name_of_more_than_twenty_letters is set", 30),
            "net.ipv4.a_name_of_more_than_twenty_letters\n"
            "                              is set");
}

TEST(TextLayout, ColumnsAreAsWideAsTheirWidestCell) {
  TextTable table({TextTable::Align::left, TextTable::Align::right, TextTable::Align::left});
  table.row({{"NAME"}, {"COUNT"}, {"WHAT"}});
  table.row({{"select"}, {"7"}, {"bits"}});
  table.note("and a note");
  EXPECT_EQ(table.text(kEndless),
            "NAME    COUNT  WHAT\n"
            "select      7  bits\n"
            "               and a note\n");
}

TEST(TextLayout, InkDoesNotMoveColumns) {
  const TextLayout colours{.width = 40, .colour = true};
  TextTable table({TextTable::Align::left, TextTable::Align::left});
  table.row({{"a", Ink::good}, {"b"}});
  table.row({{"long"}, {"c", Ink::bad}});
  EXPECT_EQ(table.text(colours), "\033[32ma   \033[0m  b\nlong  \033[31mc\033[0m\n");
}

}  // namespace
}  // namespace muxlab
