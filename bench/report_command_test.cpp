#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <optional>

#include "bench/report_test_folder.hpp"
#include "bench/report_test_markup.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReportCommandTest : public ResultFolderTest {
 protected:
  /// Every file of `folder` but what it was given.
  static std::map<Path, std::string> made_in(const Path& folder) {
    std::map<Path, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files[entry.path()] = read_whole(entry.path());
    }
    files.erase(folder / "trials.csv");
    files.erase(folder / "machine.json");
    return files;
  }
};

void make_backends_differ(TrialRow& row) {
  double& cpu_ns = row.outcome.metrics[Metric::server_cpu_ns_per_echo];
  if (row.cell.backend == "bufferevent") cpu_ns *= 1.5;
  if (row.cell.backend == "select" && row.cell.connections == 100) cpu_ns *= 0.8;
}

/// The row of the table in `section` whose first cell is `name`, by the names of its columns.
std::optional<std::map<std::string, std::string>> row_in(const std::vector<Element>& page,
                                                         const std::string& caption_start,
                                                         const std::string& name) {
  std::vector<std::string> header;
  std::vector<std::string> cells;
  bool is_here = false;
  for (const Element& element : page) {
    if (element.name == "table") {
      is_here = element.text.starts_with(caption_start);
      header.clear();
    }
    if (!is_here) continue;
    if (element.name == "tr") cells.clear();
    if (element.name != "th" && element.name != "td") continue;
    const auto scope = element.attributes.find("scope");
    if (scope != element.attributes.end() && scope->second == "col") {
      header.push_back(element.text);
      continue;
    }
    cells.push_back(element.text);
    if (cells.front() != name || cells.size() != header.size()) continue;
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[header[i]] = cells[i];
    return row;
  }
  return std::nullopt;
}

TEST_F(ReportCommandTest, PageHasEveryVerdictAndEveryPicture) {
  const Path results = folder("results", simulate(8, 1, make_backends_differ));
  const Said said = run_muxlab({"report", results});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, HasSubstr((results / "report.html").string()));
  const std::string page = read_whole(results / "report.html");
  EXPECT_THAT(page, Not(HasSubstr("http")));
  const std::vector<Element> elements = MarkupParser::parse(page);

  const CsvTable table = read_csv(results / "comparisons.csv");
  const auto field = [&](const std::vector<std::string>& record, const char* name) {
    return record[table.column(name)];
  };
  ASSERT_EQ(table.records.size(), 8U);
  std::map<std::string, int> verdicts;
  for (const auto& record : table.records) {
    ++verdicts[field(record, "verdict")];
    const std::string threads = field(record, "threads");
    const std::string point = fmt::format("{} thread{} ({}), {} connections", threads,
                                          threads == "1" ? "" : "s", field(record, "threading"),
                                          field(record, "connections") == "1000" ? "1k" : "100");
    const auto row = row_in(elements, "Server CPU per echo as a multiple", point);
    ASSERT_TRUE(row) << point;
    EXPECT_THAT(row->at(field(record, "verdict")),
                HasSubstr(fmt::format("{} ×{:.2f}", field(record, "backend"),
                                      std::stod(field(record, "ratio")))));
  }
  EXPECT_EQ(verdicts["dearer"], 4);
  EXPECT_EQ(verdicts["cheaper"], 2);

  std::size_t pictures = 0;
  for (const Element& element : elements) {
    if (element.name != "svg") continue;
    ++pictures;
    EXPECT_EQ(element.attributes.at("role"), "img");
    EXPECT_THAT(element.text, AllOf(HasSubstr(" against "), HasSubstr("Medians, bars from least"),
                                    Not(HasSubstr("gnuplot"))))
        << "it says in words what there is to see";
  }
  const auto plots = std::filesystem::directory_iterator(results / "plots");
  EXPECT_EQ(pictures, static_cast<std::size_t>(std::distance(begin(plots), end(plots))));
  EXPECT_EQ(pictures, 12U) << "two axes, two values of the other, three metrics";
  EXPECT_TRUE(row_in(elements, "The machine", "Processor")) << "of which the name is awkward";
  const auto limiter = row_in(elements, "What bounded each point", "select");
  EXPECT_EQ(limiter->at("limiter"), "server-bound");
  EXPECT_THAT(read_whole(results / "report.md"),
              AllOf(HasSubstr("4 dearer"), HasSubstr("| bufferevent |")));
}

TEST_F(ReportCommandTest, SaysWhatKeepsItFromBeingTrusted) {
  auto about = record();
  about["run_status"] = "interrupted";
  const auto disturb = [](TrialRow& row) {
    if (row.cell.threads == 1) return;
    row.outcome.status =
        row.cell.backend == "select" ? TrialStatus::untrusted : TrialStatus::failed;
  };
  const Path results = folder("results", simulate(3, 1, disturb), about);
  ASSERT_EQ(run_muxlab({"report", results}).exit_code, 0);
  const std::string page = read_whole(results / "report.html");
  const auto costs = row_in(MarkupParser::parse(page), "Server CPU per echo in", "select");
  ASSERT_TRUE(costs);
  for (const auto& [point, words] : *costs) {
    EXPECT_EQ(words.ends_with(" †"), point != "backend") << point << " stands on three or none";
  }
  EXPECT_THAT(page, AllOf(HasSubstr("too few to rank"), HasSubstr("did not finish"),
                          HasSubstr("Of 36 trials, 12 failed and 6 met a gate"),
                          HasSubstr("instrument is not checked")));
}

/// Where the same differs from itself, that comes before all figures.
TEST_F(ReportCommandTest, SaysFirstWhenTheInstrumentIsBroken) {
  const auto as_instrument = [](TrialRow& row) {
    if (row.cell.backend == "select") row.cell.backend = "epoll-lt-again";
    if (row.cell.backend == "bufferevent") row.cell.backend = "epoll-lt-extra-call";
    if (row.cell.backend != "epoll-lt") {
      row.outcome.metrics[Metric::server_cpu_ns_per_echo] *= 1.3;
    }
  };
  const Path results = folder("results", simulate(7, 1, as_instrument));
  ASSERT_EQ(run_muxlab({"report", results}).exit_code, 0);
  const std::string page = read_whole(results / "report.html");
  EXPECT_LT(page.find("NOT TO BE TRUSTED"), page.find("<table>"));
}

TEST_F(ReportCommandTest, GivesTheSameBytesTwice) {
  auto rows = simulate(7, 1, make_backends_differ);
  std::erase_if(rows, [](const TrialRow& row) { return row.cell.threads > 1; });
  const Path results = folder("results", rows);
  ASSERT_EQ(run_muxlab({"report", results, "--png"}).exit_code, 0);
  const auto first = made_in(results);
  EXPECT_EQ(first.size(), 3U + 3U + 4U) << "pictures in two formats, two tables, two pages";
  for (const auto& [file, bytes] : first) {
    EXPECT_EQ(bytes.starts_with("\x89PNG"), file.extension() == ".png") << file;
    std::filesystem::remove(file);
  }
  ASSERT_EQ(run_muxlab({"report", results, "--png"}).exit_code, 0);
  EXPECT_EQ(made_in(results), first);
}

TEST_F(ReportCommandTest, DrawsWithCharactersForATerminal) {
  auto rows = simulate(7, 1);
  std::erase_if(rows, [](const TrialRow& row) { return row.cell.threads > 1; });
  const Said said = run_muxlab({"report", folder("results", rows), "--terminal"});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, AllOf(HasSubstr("Server CPU per echo against connections"),
                                 HasSubstr("bufferevent"), HasSubstr("----+")));
}

}  // namespace
}  // namespace muxlab
