#include <gmock/gmock.h>

#include "bench/data/experiment.hpp"
#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

/// scripts/campaign with campaigns as small as they can be.
class CampaignScriptTest : public ResultFolderTest {
 protected:
  [[nodiscard]] static Said run(const std::vector<std::string>& words) {
    Command command{
        {"env", "MUXLAB=" MUXLAB_BINARY, MUXLAB_SOURCE_DIR "/scripts/campaign"}, {}, {}};
    command.words.insert(command.words.end(), words.begin(), words.end());
    Process process(command);
    const auto ended = [&] { return process.exit_code().has_value(); };
    wait_for(process, -1, Clock::now() + std::chrono::seconds(120), ended);
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

  [[nodiscard]] Path records_of(const std::string& experiment) const {
    return root_ / "all" / experiment / "records.csv";
  }
};

TEST_F(CampaignScriptTest, RunsOneAfterTheOtherAndSkipsWhatIsComplete) {
  const Said first = run_tiny("lt-vs-et throughput");
  ASSERT_EQ(first.exit_code, 0) << first.errors;
  EXPECT_THAT(first.errors, AllOf(ContainsRegex("lt-vs-et +[0-9]+ s"), HasSubstr("together")));
  const std::string measured = read_whole(records_of("lt-vs-et"));
  EXPECT_GE(read_records(root_ / "all/throughput").size(), 2U);

  const Said second = run_tiny("lt-vs-et throughput");
  EXPECT_EQ(second.exit_code, 0) << second.errors;
  EXPECT_THAT(second.errors, ContainsRegex("throughput +complete"));
  EXPECT_EQ(read_whole(records_of("lt-vs-et")), measured);
}

TEST_F(CampaignScriptTest, GoesOnWithWhatWasInterrupted) {
  ASSERT_EQ(run_tiny("lt-vs-et").exit_code, 0);
  const Path record = root_ / "all/lt-vs-et/machine.json";
  auto json = nlohmann::ordered_json::parse(read_whole(record));
  json["run_status"] = "interrupted";
  write_whole(record, json.dump(2));
  std::vector<RigRecord> first = read_records(root_ / "all/lt-vs-et");
  std::erase_if(first, [](const RigRecord& one) { return one.rig > 0; });
  write_records(root_ / "all/lt-vs-et", first);

  const Said resumed = run_tiny("lt-vs-et");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_GT(read_records(root_ / "all/lt-vs-et").size(), first.size());
  EXPECT_EQ(nlohmann::json::parse(read_whole(record))["resumed_utc"].size(), 1U);
}

TEST_F(CampaignScriptTest, SaysWhatItWouldTakeAndDoesNothing) {
  const Said said = run({"--dry-run", root_ / "all"});
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  for (const Experiment& experiment : experiments()) {
    if (experiment.copies > 0) continue;  // it is about the instrument
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
