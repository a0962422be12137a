#include <gmock/gmock.h>

#include "bench/report_test_folder.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A report that was made once, and then comes upon something bad.
class BadDataTest : public ResultFolderTest {
 protected:
  BadDataTest() : results_(root_ / "results") {
    SimulatedCampaign campaign({"epoll-lt", "poll"}, {SimulatedCampaign::cell_of(100)});
    campaign.measure([](const Cell&, const std::string&) { return 1.2; });
    campaign.write(results_);
    EXPECT_EQ(run_muxlab({"report", results_}).exit_code, 0);
    records_ = read_whole(results_ / "records.csv");
  }

  /// One line that says why, exit code 2, and what was made before is as it was.
  [[nodiscard]] std::string refusal() const {
    const auto before = made_in(results_);
    const Said said = run_muxlab({"report", results_});
    EXPECT_EQ(said.exit_code, 2) << said.errors;
    EXPECT_EQ(said.output, "");
    EXPECT_EQ(made_in(results_), before);
    return said.errors;
  }
  void write_records(const std::string& text) const { write_whole(results_ / "records.csv", text); }

  Path results_;
  std::string records_;
};

TEST_F(BadDataTest, RecordsThatAreCutOff) {
  const std::size_t header = records_.find('\n') + 1;
  for (const std::size_t size :
       {records_.size() - 1, records_.size() - 20, header + 5, header - 5}) {
    write_records(records_.substr(0, size));
    EXPECT_THAT(refusal(), HasSubstr("records.csv line")) << size;
  }
  write_records("");
  EXPECT_THAT(refusal(), HasSubstr("the file is empty"));
}

TEST_F(BadDataTest, RecordsThatAreNoNumbers) {
  std::string text = records_;
  text.replace(text.find(",apart,0,") + 7, 1, "x");
  write_records(text);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("rig"), HasSubstr("\"x\"")));
}

TEST_F(BadDataTest, RecordsOfAnotherSchema) {
  std::string text = records_;
  text.replace(text.find("elapsed_ns"), 10, "elapsed_us");
  write_records(text);
  EXPECT_THAT(refusal(), HasSubstr("its columns differ"));
}

TEST_F(BadDataTest, FilesThatAreMissing) {
  std::filesystem::rename(results_ / "records.csv", root_ / "elsewhere");
  EXPECT_THAT(refusal(), HasSubstr("records.csv"));
  std::filesystem::rename(root_ / "elsewhere", results_ / "records.csv");
  std::filesystem::remove(results_ / "machine.json");
  EXPECT_THAT(refusal(), HasSubstr("machine.json"));
}

/// Every file is written under a temporary name, which here is a device that is always full.
TEST_F(BadDataTest, ADiskThatIsFull) {
  const auto before = made_in(results_);
  ASSERT_EQ(before.size(), 8U);
  for (const auto& [file, bytes] : before) {
    const Path temporary = file.string() + ".tmp";
    std::filesystem::create_symlink("/dev/full", temporary);
    const Said said = run_muxlab({"report", results_});
    EXPECT_EQ(said.exit_code, 3) << file;
    EXPECT_THAT(said.errors, AllOf(HasSubstr("No space left on device"), HasSubstr(file.string())));
    EXPECT_EQ(made_in(results_), before) << file;
    EXPECT_FALSE(std::filesystem::is_symlink(temporary)) << "nothing is left behind";
  }
}

}  // namespace
}  // namespace muxlab
