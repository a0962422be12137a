#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/report_document.hpp"
#include "bench/report_test_markup.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kNasty = "</td><script>alert('x')</script> & \"quoted\" \x01 µs";
constexpr const char* kNastyShown = "</td><script>alert('x')</script> & \"quoted\"  µs";

constexpr const char* kDrawing = "<svg xmlns='http://www.w3.org/2000/svg' fill=\"#000\">µ</svg>\n";

Document nasty_document() {
  const Picture first{
      "one", kNasty, kNasty, kDrawing, {kNasty, {kNasty}, {{kNasty}}, true}, "a,b\n1 %,\"µ\"\n"};
  Picture second = first;
  second.name = "two";
  return {
      kNasty,
      kNasty,
      {{"first", kNasty, {Paragraph{kNasty, true}, Bullets{{kNasty, "b"}}}},
       {"second",
        kNasty,
        {Table{kNasty, {"h", kNasty}, {{"r", kNasty}, {"s", "|"}}}, Gallery{{first, second}}}}}};
}

TEST(HtmlPage, IsWholeWhateverItIsAbout) {
  const auto elements = MarkupParser::parse(html_page(nasty_document()));
  std::map<std::string, std::size_t> names;
  std::map<std::string, std::size_t> ids;
  for (const Element& element : elements) {
    ++names[element.name];
    if (element.attributes.contains("id")) ++ids[element.attributes.at("id")];
  }
  EXPECT_EQ(names["script"], 0U);
  EXPECT_EQ(names["section"], 2U);
  EXPECT_EQ(names["img"], 2U);
  for (const auto& [id, count] : ids) EXPECT_EQ(count, 1U) << id;
  const auto heading = std::ranges::find(elements, "h1", &Element::name);
  EXPECT_EQ(heading->text, kNastyShown);
}

TEST(HtmlPage, HasPicturesAndTheirDataInside) {
  const auto elements = MarkupParser::parse(html_page(nasty_document()));
  const auto picture = std::ranges::find(elements, "img", &Element::name);
  ASSERT_NE(picture, elements.end());
  EXPECT_EQ(picture->attributes.at("alt"), fmt::format("{0}: {0}", kNastyShown));
  EXPECT_EQ(picture->attributes.at("src"),
            "data:image/svg+xml,%3Csvg xmlns=%27http://www.w3.org/2000/svg%27 fill=%22%23000%22%3E"
            "%C2%B5%3C/svg%3E%0A");
  const auto data = std::ranges::find_if(
      elements, [](const Element& element) { return element.attributes.contains("download"); });
  ASSERT_NE(data, elements.end());
  EXPECT_EQ(data->attributes.at("href"), "data:text/csv,a,b%0A1 %25,%22%C2%B5%22%0A");
}

TEST(HtmlPage, EveryLinkLeadsSomewhere) {
  const auto elements = MarkupParser::parse(html_page(nasty_document()));
  const auto has_id = [&](const std::string& id) {
    return std::ranges::any_of(elements, [&](const Element& element) {
      return element.attributes.contains("id") && element.attributes.at("id") == id;
    });
  };
  for (const Element& element : elements) {
    if (element.attributes.contains("src")) {
      EXPECT_THAT(element.attributes.at("src"), testing::StartsWith("data:"));
    }
    if (!element.attributes.contains("href")) continue;
    const std::string& link = element.attributes.at("href");
    if (link.starts_with('#')) {
      EXPECT_TRUE(has_id(link.substr(1))) << link;
    } else {
      EXPECT_THAT(link,
                  testing::AnyOf(testing::StartsWith("data:"), testing::StartsWith("plots/")));
    }
  }
}

TEST(MarkdownPage, TextCannotBecomeATableOrATag) {
  const std::string page = markdown_page(nasty_document());
  EXPECT_THAT(page, AllOf(HasSubstr("\\<script\\>"), Not(ContainsRegex("[^\\]<")),
                          HasSubstr("| s | \\| |\n"), HasSubstr("(plots/two.svg)")));
}

}  // namespace
}  // namespace muxlab
