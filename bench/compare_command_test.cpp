#include <gmock/gmock.h>

#include "bench/report_test_folder.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CompareCommandTest : public ResultFolderTest {};

void make_select_dearer(TrialRow& row) {
  if (row.cell.backend == "select") row.outcome.metrics[Metric::server_cpu_ns_per_echo] *= 1.2;
}

TEST_F(CompareCommandTest, EndsWithFiveOnlyAfterARegression) {
  const std::string before = folder("before", simulate(10, 1));
  const std::string after = folder("after", simulate(10, 2, make_select_dearer));
  const Said same = run_muxlab({"compare", before, folder("again", simulate(10, 3))});
  EXPECT_EQ(same.exit_code, 0) << same.errors;
  EXPECT_THAT(same.output, HasSubstr("36 comparisons: 0 regressed and 0 improved"));
  const Said worse = run_muxlab({"compare", before, after});
  EXPECT_EQ(worse.exit_code, 5) << worse.errors;
  EXPECT_THAT(worse.output, AllOf(HasSubstr("regressed    select x1.2"),
                                  HasSubstr("4 regressed and 0 improved by more than 3 %")));
  EXPECT_EQ(worse.errors, "") << "there is nothing to be cautious about";
  const Said better = run_muxlab({"compare", after, before});
  EXPECT_EQ(better.exit_code, 0);
  EXPECT_THAT(better.output, HasSubstr("0 regressed and 4 improved"));
  const Said tolerant = run_muxlab({"compare", before, after, "--threshold", "50%"});
  EXPECT_EQ(tolerant.exit_code, 0);
  EXPECT_THAT(tolerant.output, HasSubstr("36 stayed within it"));
}

TEST_F(CompareCommandTest, WritesOneJsonObjectWithTheSameExitCode) {
  const std::string before = folder("before", simulate(7, 1));
  const std::string after = folder("after", simulate(7, 2, make_select_dearer));
  const Said said = run_muxlab({"compare", before, after, "--json"});
  EXPECT_EQ(said.exit_code, 5);
  const auto json = nlohmann::json::parse(said.output);
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["regressed"], 4);
  ASSERT_EQ(json["changes"].size(), 36U);
  for (const auto& change : json["changes"]) {
    const bool is_dearer =
        change["backend"] == "select" && change["metric"] == "server_cpu_ns_per_echo";
    EXPECT_EQ(change["verdict"] == "regressed", is_dearer) << change;
    EXPECT_LE(change["ratio_low"], change["ratio"]);
    EXPECT_EQ(change["trials_after"], 7);
  }
}

TEST_F(CompareCommandTest, WarnsWhenMachinesDiffer) {
  auto about = record();
  about["machine"]["kernel_release"] = "6.18.0";
  about["machine"]["cpu_model"] = "Another";
  about["size_bytes"] = 4096;
  about["run_status"] = "interrupted";
  const Said said = run_muxlab(
      {"compare", folder("before", simulate(7, 1)), folder("after", simulate(7, 2), about)});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_THAT(said.errors,
              AllOf(HasSubstr("caution: the kernels differ: 6.1.0 and 6.18.0"),
                    HasSubstr("processors differ"), HasSubstr("message sizes differ: 64 and 4096"),
                    HasSubstr("is interrupted"), Not(HasSubstr("windows"))));
}

TEST_F(CompareCommandTest, SaysWhenEverythingBecameDearerAtOnce) {
  const auto slower_host = [](TrialRow& row) {
    row.outcome.metrics[Metric::server_cpu_ns_per_echo] *= 1.3;
  };
  const Said said = run_muxlab(
      {"compare", folder("before", simulate(7, 1)), folder("after", simulate(7, 2, slower_host))});
  EXPECT_EQ(said.exit_code, 5);
  EXPECT_THAT(said.errors, AllOf(HasSubstr("nearly all points cost more"), HasSubstr("machine")));
}

TEST_F(CompareCommandTest, RefusesWhenNothingIsComparable) {
  const std::string before = folder("before", simulate(7, 1));
  auto over_unix = record();
  over_unix["transport"] = "unix";
  const auto refused = [&](const std::string& after) {
    const Said said = run_muxlab({"compare", before, after});
    EXPECT_EQ(said.exit_code, 2) << after;
    EXPECT_EQ(said.output, "");
    return said.errors;
  };
  EXPECT_THAT(refused(folder("unix", simulate(7, 2), over_unix)), HasSubstr("the other over unix"));
  EXPECT_THAT(refused(folder("few", simulate(3, 2))), HasSubstr("it takes 7 of each"));
  const auto larger = [](TrialRow& row) { row.cell.size_bytes = 4096; };
  EXPECT_THAT(refused(folder("larger", simulate(7, 2, larger))), HasSubstr("message size"));
  EXPECT_THAT(refused(root_ / "missing"), HasSubstr("cannot read"));
  const std::string cut = folder("cut", simulate(7, 2));
  std::filesystem::resize_file(Path(cut) / "trials.csv", 5000);
  EXPECT_THAT(refused(cut), HasSubstr("trials.csv line"));
  EXPECT_EQ(run_muxlab({"compare", before}).exit_code, 2);
  EXPECT_EQ(run_muxlab({"compare", before, before, "--threshold", "-1"}).exit_code, 2);
  EXPECT_EQ(run_muxlab({"compare", before, before, "--threshold", "nan"}).exit_code, 2);
}

}  // namespace
}  // namespace muxlab
