#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/data/csv.hpp"
#include "bench/report/document.hpp"
#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// An element of a page, and all text below it as a reader sees it.
struct Element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;
  std::size_t parent = 0;  ///< where it stands in the list; the first is its own
};

/// A strict parser, because browsers guess, and each one differently.
class MarkupParser {
 public:
  /// Every element of `page` in its order. Throws std::runtime_error for anything that is not XML,
  /// but for the document type of HTML.
  static std::vector<Element> parse(std::string_view page) {
    MarkupParser parser(page);
    constexpr std::string_view kType = "<!DOCTYPE html>\n";
    if (!page.starts_with(kType)) parser.fail("no document type");
    parser.rest_.remove_prefix(kType.size());
    while (!parser.open_.empty() || parser.elements_.empty()) parser.step();
    if (parser.rest_ != "\n") parser.fail("something behind the end");
    return parser.elements_;
  }

 private:
  explicit MarkupParser(std::string_view page) : page_(page), rest_(page) {}

  [[noreturn]] void fail(const std::string& why) const {
    const std::size_t at = page_.size() - rest_.size();
    throw std::runtime_error(why + " before \"" + std::string(page_.substr(at, 60)) + "\"");
  }

  std::string_view take(std::string_view end) {
    const std::size_t size = rest_.find(end);
    if (size == std::string_view::npos) fail("no " + std::string(end));
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size + end.size());
    return taken;
  }

  void step() {
    const std::string text = decoded(take("<"));
    for (const std::size_t place : open_) elements_[place].text += text;
    if (open_.empty() && text.find_first_not_of('\n') != std::string::npos) fail("text outside");
    if (rest_.starts_with('/')) return close();
    open();
  }

  void close() {
    rest_.remove_prefix(1);
    const std::string_view name = take(">");
    if (open_.empty() || elements_[open_.back()].name != name) fail("wrong end of an element");
    open_.pop_back();
  }

  void open() {
    const std::size_t size = rest_.find_first_of(" />");
    Element element{std::string(rest_.substr(0, size)), {}, "", open_.empty() ? 0 : open_.back()};
    const bool is_name =
        std::ranges::all_of(element.name, [](unsigned char c) { return std::isalnum(c) != 0; });
    if (element.name.empty() || !is_name) fail("not an element");
    rest_.remove_prefix(size);
    while (rest_.starts_with(' ')) {
      rest_.remove_prefix(1);
      std::string key(take("=\""));
      if (!element.attributes.try_emplace(std::move(key), decoded(take("\""))).second) {
        fail("an attribute twice");
      }
    }
    const bool is_empty = rest_.starts_with('/');
    if (is_empty) rest_.remove_prefix(1);
    if (!rest_.starts_with('>')) fail("no end of a tag");
    rest_.remove_prefix(1);
    elements_.push_back(std::move(element));
    if (!is_empty) open_.push_back(elements_.size() - 1);
  }

  [[nodiscard]] std::string decoded(std::string_view text) const {
    static const std::map<std::string_view, char> kReferences = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"#39", '\''}};
    std::string plain;
    while (!text.empty()) {
      const std::size_t size = std::min(text.find('&'), text.size());
      plain += text.substr(0, size);
      text.remove_prefix(size);
      if (text.empty()) break;
      const std::size_t end = std::min(text.find(';'), text.size());
      const auto reference = kReferences.find(text.substr(1, end - 1));
      if (reference == kReferences.end()) fail("an unknown reference " + std::string(text));
      plain += reference->second;
      text.remove_prefix(end + 1);
    }
    return plain;
  }

  std::string_view page_;
  std::string_view rest_;
  std::vector<Element> elements_;
  std::vector<std::size_t> open_;
};

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

/// Three backends at 1 and 2 threads and 100 and 1,000 connections.
class ReportCommandTest : public ResultFolderTest {
 protected:
  ReportCommandTest() : results_(root_ / "results") {
    campaign_.plan.experiment = "throughput";
    campaign_.measure(
        [](const Cell&, const std::string& name) { return name == "bufferevent" ? 1.5 : 0.8; });
    campaign_.write(results_);
  }

  SimulatedCampaign campaign_{
      {"epoll-lt", "select", "bufferevent"},
      {SimulatedCampaign::cell_of(100), SimulatedCampaign::cell_of(1'000),
       SimulatedCampaign::cell_of(100, 2), SimulatedCampaign::cell_of(1'000, 2)}};
  Path results_;
};

TEST_F(ReportCommandTest, PageHasEveryVerdictAndEveryPicture) {
  const Said said = run_muxlab({"report", results_});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, AllOf(HasSubstr((results_ / "report.html").string()), HasSubstr("1.50±"),
                                 HasSubstr("0.80±")));
  const std::string page = read_whole(results_ / "report.html");
  const std::vector<Element> elements = MarkupParser::parse(page);

  const CsvTable table = read_csv(results_ / "comparisons.csv");
  std::map<std::string, int> verdicts;
  for (const auto& record : table.records) {
    ++verdicts[record[table.column("metric")] + " " + record[table.column("verdict")]];
  }
  EXPECT_EQ(verdicts["server_cpu_ns_per_echo more_expensive"], 4);
  EXPECT_EQ(verdicts["server_cpu_ns_per_echo cheaper"], 4);
  EXPECT_EQ(verdicts["time_ns_per_echo cheaper"], 4) << "the server was busy all the time";

  std::vector<std::string> pictures;
  for (const Element& element : elements) {
    for (const auto& [key, value] : element.attributes) {
      const bool is_inside = !value.starts_with("http") && !value.starts_with("//");
      EXPECT_TRUE(is_inside) << key << "=" << value;
    }
    EXPECT_THAT(element.text, Not(HasSubstr("http")));
    if (element.name != "img") continue;
    EXPECT_THAT(element.attributes.at("src"), StartsWith("data:image/svg+xml,%3C?xml"));
    pictures.push_back(element.attributes.at("alt"));
  }
  const auto plots = std::filesystem::directory_iterator(results_ / "plots");
  const auto files = std::count_if(begin(plots), end(plots), [](const auto& entry) {
    return entry.path().extension() == ".svg";
  });
  EXPECT_EQ(pictures.size(), static_cast<std::size_t>(files));
  EXPECT_EQ(files, 1 + 2 * 4) << "the ratios; throughput and latency along two axes";
  EXPECT_THAT(pictures.back(), HasSubstr("Medians of the rigs, bars from the least"))
      << "the text describes the picture";
  EXPECT_THAT(page, HasSubstr("Simulated &amp; &lt;quoted&gt;")) << "its name is awkward";
  EXPECT_THAT(read_whole(results_ / "report.md"),
              AllOf(HasSubstr("| bufferevent |"), HasSubstr("How many echoes per second")));
}

/// What the pictures and the tutorial's tables are made from.
TEST_F(ReportCommandTest, SummaryHasFiguresWithWhatBoundedThem) {
  ASSERT_EQ(run_muxlab({"report", results_}).exit_code, 0);
  const CsvTable table = read_csv(results_ / "summary.csv");
  EXPECT_EQ(table.records.size(), 4U * 3) << "without the self-check";
  for (const auto& record : table.records) {
    EXPECT_EQ(record[table.column("rigs")], "8");
    EXPECT_EQ(record[table.column("bound")], "server");
    const double slow = record[table.column("backend")] == "bufferevent" ? 1.5
                        : record[table.column("backend")] == "select"    ? 0.8
                                                                         : 1;
    const auto number = [&](const char* name) { return std::stod(record[table.column(name)]); };
    EXPECT_NEAR(number("echoes_per_s_median"), 1e12 / 5.1e6 / slow, 1e3);
    EXPECT_NEAR(number("latency_ns_p99_median"), 6e5 * slow, 10);
    EXPECT_NEAR(number("server_cpu_ns_per_echo_median"), 5'000 * slow, 150);
    EXPECT_LE(number("server_cpu_ns_per_echo_min"), number("server_cpu_ns_per_echo_median"));
    EXPECT_NEAR(number("syscalls_per_echo_median"), 2.1, 1e-9);
  }
}

TEST_F(ReportCommandTest, AnInterruptedCampaignIsProvisional) {
  campaign_.write(results_, [](auto& record) { record["run_status"] = "interrupted"; });
  ASSERT_EQ(run_muxlab({"report", results_}).exit_code, 0);
  EXPECT_THAT(read_whole(results_ / "report.html"), HasSubstr("provisional"));
}

TEST_F(ReportCommandTest, AProgramThatIsNotToBeMeasuredIsNamed) {
  campaign_.write(results_,
                  [](auto& record) { record["machine"]["build"]["flags"] = "-fsanitize=address"; });
  ASSERT_EQ(run_muxlab({"report", results_}).exit_code, 0);
  EXPECT_THAT(read_whole(results_ / "report.html"), HasSubstr("sanitizer"));
}

TEST_F(ReportCommandTest, GivesTheSameBytesTwice) {
  ASSERT_EQ(run_muxlab({"report", results_}).exit_code, 0);
  const auto first = made_in(results_);
  EXPECT_EQ(first.size(), 4U + 1 + 9) << "two tables, two pages, what ratios are drawn from";
  for (const auto& [file, bytes] : first) std::filesystem::remove(file);
  ASSERT_EQ(run_muxlab({"report", results_}).exit_code, 0);
  EXPECT_EQ(made_in(results_), first);
}

}  // namespace
}  // namespace muxlab
