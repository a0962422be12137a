#include "bench/report_html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/report_html_page.hpp"
#include "bench/report_html_svg.hpp"
#include "bench/report_markdown.hpp"
#include "bench/report_test_markup.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kNasty = "</td><script>alert('x')</script> & \"quoted\" \x01 µs";
constexpr const char* kNastyShown = "</td><script>alert('x')</script> & \"quoted\"  µs";

TEST(Html, TextCannotBecomeMarkup) {
  EXPECT_EQ(html::element("td", "a<b & \"c\"").markup(), "<td>a&lt;b &amp; &quot;c&quot;</td>");
  EXPECT_EQ(html::void_element("meta", {{"content", "\"/><i x='"}}).markup(),
            "<meta content=\"&quot;/&gt;&lt;i x=&#39;\"/>");
  EXPECT_EQ(html::escape("line\n\x01\x1F end"), "line\n end");
}

TEST(Html, ADataUriHoldsAnything) {
  EXPECT_EQ(html::data_uri("text/csv", "a,b\n1 %,\"µ\"\n"),
            "data:text/csv,a%2Cb%0A1%20%25%2C%22%C2%B5%22%0A");
}

/// A drawing as gnuplot makes them, around `inside`.
std::string drawing(const std::string& inside) {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"  standalone=\"no\"?>\n<svg \n width=\"920\"\n "
         "viewBox=\"0 0 920 560\"\n xmlns=\"http://www.w3.org/2000/svg\"\n "
         "xmlns:xlink=\"http://www.w3.org/1999/xlink\"\n>\n<title>Gnuplot</title>\n"
         "<desc>Produced by GNUPLOT</desc>\n<rect x=\"0\" y=\"0\" width=\"920\" height=\"560\" "
         "fill=\"#ffffff\"/>\n" +
         inside + "</svg>\n";
}

TEST(InlineSvg, MakesIdsAndReferencesItsOwn) {
  const std::string markup =
      inline_svg(drawing("<defs><path id='gpPt1' d='M0,0'/></defs>\n"
                         "<g id=\"curve\" clip-path=\"url(#clip)\"><title>poll</title>"
                         "<use xlink:href='#gpPt1'/><!-- a note --></g>"),
                 "cpu", "Title <1>", "Words & more")
          .markup();
  EXPECT_THAT(markup, AllOf(HasSubstr("id=\"cpu-gpPt1\""), HasSubstr("href=\"#cpu-gpPt1\""),
                            HasSubstr("clip-path=\"url(#cpu-clip)\""),
                            HasSubstr("id=\"cpu-curve\""), HasSubstr("<title>poll</title>")));
  EXPECT_THAT(markup,
              AllOf(HasSubstr("role=\"img\""), HasSubstr("Title &lt;1&gt;"),
                    HasSubstr("Words &amp; more"), Not(HasSubstr("http")),
                    Not(HasSubstr("Gnuplot")), Not(HasSubstr("#ffffff")), Not(HasSubstr("note"))));
}

TEST(InlineSvg, LetsNothingInThatIsNoDrawing) {
  for (const char* inside :
       {"<script>alert(1)</script>", "<g onclick=\"alert(1)\"/>", "<image href=\"#a\"/>",
        "<foreignObject/>", "<use xlink:href='http://example.org/#a'/>",
        "<path fill=\"url(http://example.org)\"/>", "<a href=\"#x\"></a>", "<path fill='\"'/>",
        "<path d=M0/>", "<style>@import 'x'</style>"}) {
    EXPECT_THROW(inline_svg(drawing(inside), "x", "", ""), std::runtime_error) << inside;
  }
  const std::string whole = drawing("<path d='M0,0'/>");
  EXPECT_NO_THROW(inline_svg(whole, "x", "", ""));
  EXPECT_THROW(inline_svg(whole.substr(0, whole.size() - 9), "x", "", ""), std::runtime_error);
}

Document nasty_document() {
  const Picture first{"one",
                      kNasty,
                      kNasty,
                      drawing("<path id='a' d='M0,0'/>"),
                      {kNasty, {kNasty}, {{kNasty}}, true},
                      "a\n1\n"};
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
  EXPECT_EQ(names["svg"], 2U);
  for (const auto& [id, count] : ids) EXPECT_EQ(count, 1U) << id;
  const auto heading = std::ranges::find(elements, "h1", &Element::name);
  EXPECT_EQ(heading->text, kNastyShown);
}

TEST(HtmlPage, EveryLinkLeadsSomewhere) {
  const auto elements = MarkupParser::parse(html_page(nasty_document()));
  const auto has_id = [&](const std::string& id) {
    return std::ranges::any_of(elements, [&](const Element& element) {
      return element.attributes.contains("id") && element.attributes.at("id") == id;
    });
  };
  for (const Element& element : elements) {
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
