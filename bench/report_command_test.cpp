#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "bench/csv.hpp"
#include "bench/report_test_folder.hpp"
#include "bench/report_test_markup.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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
  EXPECT_THAT(said.output, AllOf(HasSubstr((results_ / "report.html").string()),
                                 HasSubstr("1.50 ±"), HasSubstr("0.80 ±")));
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
      << "it says in words what there is to see";
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
