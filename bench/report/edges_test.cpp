#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Makes reports with unusual names, or with unusual programs in PATH.
class ReportEdgesTest : public ResultFolderTest {
 protected:
  /// A campaign with pictures of several kinds.
  static void write_results(const Path& folder) {
    SimulatedCampaign campaign({"epoll-lt", "poll"},
                               {SimulatedCampaign::cell_of(10), SimulatedCampaign::cell_of(100)});
    campaign.plan.experiment = "throughput";
    campaign.measure([](const Cell&, const std::string&) { return 1.2; });
    campaign.write(folder);
  }

  /// `muxlab report` of `results` with `environment`, such as PATH=...
  [[nodiscard]] static Said report_with(const std::string& environment, const Path& results) {
    return run_command({"/usr/bin/env", environment, MUXLAB_BINARY, "report", results});
  }

  [[nodiscard]] std::string path_with_gnuplot(const std::string& script) const {
    const Path folder = root_ / "bin";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "gnuplot") << "#!/bin/sh\n" << script << "\n";
    ::chmod((folder / "gnuplot").c_str(), 0755);
    return "PATH=" + folder.string() + ":/usr/bin:/bin";
  }
};

/// Names of files are data: gnuplot and shells would run these.
TEST_F(ReportEdgesTest, NoNameReachesAnInterpreter) {
  for (const std::string name :
       {"< touch PWNED #", "| touch PWNED", "$(touch PWNED)", "`touch PWNED`", "'; touch PWNED; '",
        "\"; system(\"touch PWNED\"); \"", "a\nsystem('touch PWNED')", "%s%n", "-e", "@curves",
        "a b", "\\", "{Symbol a}"}) {
    const Path folder = root_ / name;
    write_results(folder);
    const Path given = name.starts_with("-") ? Path("./" + name) : Path(name);
    const Said said = run_command({MUXLAB_BINARY, "report", given}, root_);
    EXPECT_EQ(said.exit_code, 0) << name << said.errors;
    EXPECT_EQ(said.errors, "") << name;
    EXPECT_TRUE(std::filesystem::exists(folder / "plots/ratios.svg")) << name;
    EXPECT_TRUE(std::filesystem::exists(folder / "plots/cpu-vs-connections-threads-1.svg") ||
                std::filesystem::exists(folder / "plots/throughput-vs-connections-threads-1.svg"))
        << name;
    std::filesystem::remove_all(folder);
  }
  EXPECT_TRUE(std::filesystem::is_empty(root_)) << "something was run";
}

/// So are fields of files that are shown in pictures, tables and on terminals.
TEST_F(ReportEdgesTest, NoFieldReachesAnInterpreter) {
  const Path folder = root_ / "results";
  const std::string evil =
      "\"; system(\"touch PWNED\") #`touch PWNED`\n$(touch PWNED)\033[31m\u009b";
  SimulatedCampaign campaign({"epoll-lt", "poll"}, {SimulatedCampaign::cell_of(10)});
  campaign.measure([](const Cell&, const std::string&) { return 1.2; });
  for (RigRecord& record : campaign.records) record.reason = evil;
  campaign.plan.loads[0].unavailable[1] = evil;
  campaign.write(folder, [&](nlohmann::ordered_json& json) {
    json["machine"]["cpu_model"] = evil;
    json["machine"]["kernel_release"] = evil;
    json["started_utc"] = evil;
    json["command_line"] = {"muxlab", "bench", "--out", evil};
  });
  const Said said = run_command({MUXLAB_BINARY, "report", "results"}, root_);
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, Not(HasSubstr("\033")));
  EXPECT_THAT(read_whole(folder / "report.md"), Not(HasSubstr("\033")));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    EXPECT_NE(entry.path().filename(), "PWNED");
    ++files;
  }
  EXPECT_GT(files, 5U);
}

/// Everything else is there, and one line reports the missing pictures.
TEST_F(ReportEdgesTest, APictureThatCannotBeDrawnTakesNothingElseAway) {
  const Path folder = root_ / "results";
  const std::map<std::string, std::string> cases = {
      {"", "gnuplot cannot be run, install gnuplot-nox"},
      {"echo 'warning: empty x range' >&2; exit 1", "empty x range"},
      {"echo '<svg>'", "gnuplot ended with code 0"},
      {"kill -SEGV $$", "gnuplot ended with code 139"}};
  for (const auto& [script, reason] : cases) {
    std::filesystem::remove_all(folder);
    write_results(folder);
    const Said said =
        report_with(script.empty() ? "PATH=/nowhere" : path_with_gnuplot(script), folder);
    EXPECT_EQ(said.exit_code, 4) << reason;
    EXPECT_EQ(std::ranges::count(said.errors, '\n'), 1) << said.errors;
    EXPECT_THAT(said.errors, AllOf(HasSubstr("missing"), HasSubstr(reason)));
    EXPECT_THAT(said.output, HasSubstr("relative to epoll-lt"));
    EXPECT_THAT(read_whole(folder / "report.html"), AllOf(HasSubstr("poll"), HasSubstr("missing")));
    EXPECT_THAT(read_whole(folder / "report.md"), HasSubstr("missing"));
    EXPECT_THAT(read_whole(folder / "comparisons.csv"), HasSubstr("poll"));
    EXPECT_FALSE(std::filesystem::exists(folder / "plots/ratios.svg"));
  }
}

TEST_F(ReportEdgesTest, OnePictureThatFailsIsOneThatIsMissing) {
  const Path folder = root_ / "results";
  write_results(folder);
  const std::string path = path_with_gnuplot(
      "case \"$*\" in *ratios.gp*) echo 'empty range' >&2; exit 1;; esac; exec /usr/bin/gnuplot "
      "\"$@\"");
  const Said said = report_with(path, folder);
  EXPECT_EQ(said.exit_code, 4);
  EXPECT_THAT(said.errors, AllOf(HasSubstr("1 picture is missing, first ratios: gnuplot"),
                                 HasSubstr("empty range")));
  EXPECT_THAT(read_whole(folder / "report.md"),
              AllOf(HasSubstr("![Echo throughput"), Not(HasSubstr("plots/ratios.svg"))));
}

/// The user's settings are for the user's pictures.
TEST_F(ReportEdgesTest, TheEnvironmentChangesNoPicture) {
  const Path folder = root_ / "results";
  write_results(folder);
  ASSERT_EQ(run_muxlab({"report", folder}).exit_code, 0);
  const auto usual = made_in(folder);
  for (const char* const environment :
       {"GNUTERM=x11", "GNUTERM=nonsense", "GNUPLOT_LIB=/nowhere", "LC_ALL=de_DE.UTF-8",
        "GNUPLOT_DRIVER_DIR=/nowhere", "GDFONTPATH=/nowhere"}) {
    EXPECT_EQ(report_with(environment, folder).exit_code, 0) << environment;
    EXPECT_EQ(made_in(folder), usual) << environment;
  }
}

}  // namespace
}  // namespace muxlab
