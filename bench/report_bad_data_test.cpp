#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <map>

#include "backends/failure.hpp"
#include "bench/report_test_folder.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A report that was made once, and then comes upon something bad.
class BadDataTest : public ResultFolderTest {
 protected:
  BadDataTest() {
    auto rows = simulate(7, 1);
    std::erase_if(rows, [](const TrialRow& row) {
      return row.cell.threads > 1 || row.cell.connections > 100;
    });
    results_ = folder("results", rows);
    EXPECT_EQ(run_muxlab({"report", results_}).exit_code, 0);
    trials_ = read_whole(results_ / "trials.csv");
  }

  [[nodiscard]] std::map<Path, std::string> made() const {
    std::map<Path, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(results_)) {
      const Path& path = entry.path();
      const bool is_given = path.filename() == "trials.csv" || path.filename() == "machine.json";
      if (entry.is_regular_file() && !is_given) files[path] = read_whole(path);
    }
    return files;
  }

  /// One line that says why, exit code 2, and what was made before is as it was.
  [[nodiscard]] std::string refusal() const {
    const auto before = made();
    const Said said = run_muxlab({"report", results_});
    EXPECT_EQ(said.exit_code, 2) << said.errors;
    EXPECT_EQ(said.output, "");
    EXPECT_EQ(made(), before);
    return said.errors;
  }

  void write_trials(const std::string& text) const { write_whole(results_ / "trials.csv", text); }

  Path results_;
  std::string trials_;
};

TEST_F(BadDataTest, TrialsThatAreCutOff) {
  const std::size_t header = trials_.find('\n') + 1;
  for (const std::size_t size : {trials_.size() - 1, trials_.size() - 20, header + 5, header - 5}) {
    write_trials(trials_.substr(0, size));
    EXPECT_THAT(refusal(), HasSubstr("trials.csv line")) << size;
  }
  write_trials("");
  EXPECT_THAT(refusal(), HasSubstr("the file is empty"));
}

TEST_F(BadDataTest, TrialsThatAreNoNumbers) {
  std::string text = trials_;
  text.replace(text.find("\n1,") + 1, 1, "x");
  write_trials(text);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("round"), HasSubstr("\"x\"")));
}

TEST_F(BadDataTest, TrialsOfAnotherSchema) {
  std::string text = trials_;
  text.replace(text.find("echoes_per_s"), 12, "echoes_per_h");
  write_trials(text);
  EXPECT_THAT(refusal(), HasSubstr("no column echoes_per_s"));
}

TEST_F(BadDataTest, FilesThatAreMissing) {
  std::filesystem::rename(results_ / "trials.csv", root_ / "elsewhere");
  EXPECT_THAT(refusal(), HasSubstr("trials.csv"));
  std::filesystem::rename(root_ / "elsewhere", results_ / "trials.csv");
  std::filesystem::remove(results_ / "machine.json");
  EXPECT_THAT(refusal(), HasSubstr("machine.json"));
}

TEST_F(BadDataTest, ARecordThatIsNoneOrOfAnotherSchema) {
  for (const auto& [text, words] : std::map<std::string, std::string>{
           {"{\"schema_version\": 1", "not whole JSON"},
           {R"({"schema_version": 3})", "schema_version 3, and this program reads 1"},
           {R"({"schema_version": 1, "grid": 3})", "another schema"},
           {"[]", "another schema"}}) {
    write_whole(results_ / "machine.json", text);
    EXPECT_THAT(refusal(), HasSubstr(words)) << text;
  }
}

/// Every file is written under a temporary name, which here is a device that is always full.
TEST_F(BadDataTest, ADiskThatIsFull) {
  const auto before = made();
  ASSERT_EQ(before.size(), 7U);
  for (const auto& [file, bytes] : before) {
    const Path temporary = file.string() + ".tmp";
    std::filesystem::create_symlink("/dev/full", temporary);
    const Said said = run_muxlab({"report", results_});
    EXPECT_EQ(said.exit_code, 3) << file;
    EXPECT_THAT(said.errors, AllOf(HasSubstr("No space left on device"), HasSubstr(file.string())));
    EXPECT_EQ(made(), before) << file;
    EXPECT_FALSE(std::filesystem::is_symlink(temporary)) << "nothing is left behind";
  }
}

/// The rows that fit, whole; as far as a limit on the size of a file is like a disk that is full.
void append_until_it_is_full(const std::filesystem::path& file) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{10'000, 10'000};
  ::setrlimit(RLIMIT_FSIZE, &little);
  try {
    TrialsFile trials(file, TrialsFile::Open::create);
    TrialRow row;
    row.experiment = "throughput";
    for (;;) trials.append(row);
  } catch (const Failure& failure) {
    ::_exit(static_cast<int>(failure.code()));
  }
}

TEST_F(BadDataTest, TrialsThatAreWrittenToAFullDiskStayWhole) {
  const Path file = root_ / "trials.csv";
  EXPECT_EXIT(append_until_it_is_full(file), testing::ExitedWithCode(3), "");
  const CsvTable table = read_csv(file);
  EXPECT_GT(table.records.size(), 10U);
  EXPECT_LE(std::filesystem::file_size(file), 10'000U);
}

}  // namespace
}  // namespace muxlab
