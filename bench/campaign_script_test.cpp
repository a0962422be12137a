#include <gmock/gmock.h>

#include "bench/report_test_folder.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Where other tests run beside it, each trial may be disturbed, and the campaign says so.
const auto kMeasured = AnyOf(0, static_cast<int>(ExitCode::untrusted));

/// scripts/campaign with campaigns as small as they can be.
class CampaignScriptTest : public ResultFolderTest {
 protected:
  [[nodiscard]] static Said run(const std::vector<std::string>& words) {
    Command command{
        {"env", "MUXLAB=" MUXLAB_BINARY, MUXLAB_SOURCE_DIR "/scripts/campaign"}, {}, {}};
    command.words.insert(command.words.end(), words.begin(), words.end());
    Process process(command);
    const auto ended = [&] { return process.exit_code().has_value(); };
    wait_for({&process}, -1, Clock::now() + std::chrono::seconds(120), ended);
    return {process.exit_code().value_or(-1), process.output().text(), process.last_words()};
  }

  /// With what an experiment that is not begun yet takes.
  [[nodiscard]] Said run_tiny(const std::string& experiments) const {
    std::vector<std::string> words = {"--for",     "1s", "--connections", "10",
                                      "--seed",    "7",  "--backends",    "epoll-lt,poll",
                                      "--threads", "1",  root_ / "all"};
    std::istringstream names(experiments);
    for (std::string name; names >> name;) words.push_back(name);
    return run(words);
  }

  [[nodiscard]] Path trials_of(const std::string& experiment) const {
    return root_ / "all" / experiment / "trials.csv";
  }
};

TEST_F(CampaignScriptTest, RunsOneAfterTheOtherAndSkipsWhatIsComplete) {
  const Said first = run_tiny("lt-vs-et throughput");
  ASSERT_THAT(first.exit_code, kMeasured) << first.errors;
  EXPECT_THAT(first.errors, AllOf(ContainsRegex("lt-vs-et +[0-9]+ s"), HasSubstr("together")));
  const std::string measured = read_whole(trials_of("lt-vs-et"));
  EXPECT_GE(read_csv(trials_of("throughput")).records.size(), 2U);

  const Said second = run_tiny("lt-vs-et throughput");
  EXPECT_EQ(second.exit_code, 0) << second.errors;
  EXPECT_THAT(second.errors, ContainsRegex("throughput +complete"));
  EXPECT_EQ(read_whole(trials_of("lt-vs-et")), measured);
}

TEST_F(CampaignScriptTest, GoesOnWithWhatWasInterrupted) {
  ASSERT_THAT(run_tiny("lt-vs-et").exit_code, kMeasured);
  const Path record = root_ / "all/lt-vs-et/machine.json";
  auto json = nlohmann::ordered_json::parse(read_whole(record));
  json["run_status"] = "interrupted";
  write_whole(record, json.dump(2));
  const CsvTable table = read_csv(trials_of("lt-vs-et"));
  const std::string cut = csv_record(table.header) + csv_record(table.records[0]);
  write_whole(trials_of("lt-vs-et"), cut);

  const Said resumed = run_tiny("lt-vs-et");
  ASSERT_THAT(resumed.exit_code, kMeasured) << resumed.errors;
  EXPECT_THAT(read_whole(trials_of("lt-vs-et")), testing::StartsWith(cut));
  EXPECT_GE(read_csv(trials_of("lt-vs-et")).records.size(), 2U);
  EXPECT_EQ(nlohmann::json::parse(read_whole(record))["resumed_utc"].size(), 1U);
}

/// Killed after its folder was made and before its first trial.
TEST_F(CampaignScriptTest, BeginsAgainWhereThereIsNothingToGoOnFrom) {
  std::filesystem::create_directories(root_ / "all/lt-vs-et");
  write_whole(trials_of("lt-vs-et"), csv_record(trial_header()));
  const Said said = run_tiny("lt-vs-et");
  ASSERT_THAT(said.exit_code, kMeasured) << said.errors;
  EXPECT_GE(read_csv(trials_of("lt-vs-et")).records.size(), 2U);
}

TEST_F(CampaignScriptTest, SaysWhatItWouldTakeAndDoesNothing) {
  const Said said = run({"--dry-run", root_ / "all"});
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  for (const Experiment& experiment : experiments()) {
    EXPECT_THAT("\n" + said.output, HasSubstr("\n" + std::string(experiment.name) + " "))
        << "it is not in the list of scripts/campaign";
  }
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

TEST_F(CampaignScriptTest, FindsMistakesBeforeItMeasures) {
  const Path all = root_ / "all";
  EXPECT_THAT(run({}).errors, HasSubstr("name the folder"));
  EXPECT_EQ(run({"--for", "0", all}).exit_code, 2);
  EXPECT_THAT(run({all, "lt-vs-et", "speed"}).errors, HasSubstr("speed"));
  EXPECT_EQ(run({"--out", all}).exit_code, 2);
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

}  // namespace
}  // namespace muxlab
