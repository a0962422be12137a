#include "bench/campaign.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/campaign_files.hpp"
#include "bench/instrument.hpp"
#include "bench/process.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::AnyOf;
using testing::Ge;
using testing::Gt;
using testing::HasSubstr;
using testing::Lt;
using Path = std::filesystem::path;

/// Where other tests run beside it, each trial may be disturbed, and the campaign says so.
const auto kDone = AnyOf(0, static_cast<int>(ExitCode::untrusted));

struct BenchOutcome {
  int exit_code;
  std::string output;
  std::string errors;
};

/// Real campaigns of the real program, as small as they can be: two backends and the two that check
/// the instrument, so that 3 s are one round.
class CampaignTest : public testing::Test {
 protected:
  CampaignTest() {
    std::string name = testing::TempDir() + "campaign-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    out_ = folder_ / "out";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Command muxlab(const std::vector<std::string>& words) const {
    Command command{{MUXLAB_BINARY}, {}, folder_};
    command.words.insert(command.words.end(), words.begin(), words.end());
    return command;
  }

  [[nodiscard]] BenchOutcome run(const std::vector<std::string>& words) const {
    Process process(muxlab(words));
    const auto ended = [&] { return process.exit_code().has_value(); };
    wait_for({&process}, -1, Clock::now() + seconds(90), ended);
    return {process.exit_code().value_or(-1), process.output().text(), process.last_words()};
  }

  [[nodiscard]] std::vector<std::string> tiny_bench(const std::string& load_time) const {
    return {"bench",         "throughput", "--backends", "epoll-lt,poll", "--threads", "1",
            "--connections", "10",         "--for",      load_time,       "--seed",    "7",
            "--out",         out_};
  }

  [[nodiscard]] nlohmann::json machine() const {
    return nlohmann::json::parse(read_whole(out_ / "machine.json"));
  }

  [[nodiscard]] std::map<Path, std::string> drawn() const {
    std::map<Path, std::string> files = {{"summary.csv", read_whole(out_ / "summary.csv")}};
    for (const auto& entry : std::filesystem::directory_iterator(out_ / "plots")) {
      files[entry.path().filename()] = read_whole(entry.path());
    }
    return files;
  }

  Path folder_;
  Path out_;
};

TEST_F(CampaignTest, MeasuresSummarisesAndDraws) {
  const BenchOutcome bench = run(tiny_bench("6s"));
  ASSERT_THAT(bench.exit_code, kDone) << bench.errors;
  EXPECT_THAT(bench.output, HasSubstr("epoll-lt"));
  EXPECT_THAT(bench.output, HasSubstr("too few to rank"));
  const auto rows = trial_rows(read_csv(out_ / "trials.csv"));
  ASSERT_GE(rows.size(), 4U);
  for (const TrialRow& row : rows) {
    const Metrics& metrics = row.outcome.metrics;
    EXPECT_THAT(row.outcome.status, AnyOf(TrialStatus::ok, TrialStatus::untrusted))
        << row.outcome.reason;
    EXPECT_EQ(row.outcome.status == TrialStatus::ok, row.outcome.reason.empty());
    EXPECT_THAT(metrics[Metric::canary_ns], Gt(10));
    EXPECT_THAT(metrics[Metric::fairness], AllOf(Gt(0.05), Lt(1.0001)));
    EXPECT_THAT(metrics[Metric::server_resident_bytes], AllOf(Gt(1e5), Lt(1e10)));
    EXPECT_THAT(metrics[Metric::client_runqueue_wait_share], AllOf(Ge(0), Lt(1.5)));
    EXPECT_THAT(metrics[Metric::foreign_cpu_share], AllOf(Ge(0), Lt(1.5)));
    EXPECT_THAT(metrics[Metric::echoes_per_s], Gt(100));
    EXPECT_THAT(metrics[Metric::latency_ns_p99], AllOf(Gt(1e3), Lt(5e9)));
    EXPECT_THAT(metrics[Metric::server_cpu_ns_per_echo], AllOf(Gt(100), Lt(1e8)));
    EXPECT_THAT(metrics[Metric::syscalls_read_per_echo], AllOf(Gt(0.9), Lt(2.5)));
    EXPECT_THAT(metrics[Metric::syscalls_write_per_echo], AllOf(Gt(0.9), Lt(1.5)));
    EXPECT_THAT(metrics[Metric::server_cpu_util], AllOf(Gt(0), Lt(1.5)));
    EXPECT_EQ(metrics[Metric::errors], 0);
  }
  EXPECT_EQ(machine()["run_status"], "complete");
  EXPECT_EQ(machine()["seed"], 7);
  EXPECT_EQ(machine()["command_line"][1], "bench");
  for (const char* name : {"latency", "cpu"}) {
    const std::string picture = std::string(name) + "-vs-connections-threads-1.svg";
    EXPECT_THAT(drawn()[picture], AllOf(HasSubstr("epoll-lt"), HasSubstr("seed 7"))) << name;
  }
}

/// The rows that check the instrument are measured, and not shown as backends.
TEST_F(CampaignTest, ChecksItsInstrument) {
  ASSERT_THAT(run(tiny_bench("3s")).exit_code, kDone);
  std::set<std::string> measured;
  for (const TrialRow& row : trial_rows(read_csv(out_ / "trials.csv"))) {
    measured.insert(row.cell.backend);
  }
  EXPECT_THAT(measured, testing::IsSupersetOf(std::vector<std::string>(kInstrumentRows.begin(),
                                                                       kInstrumentRows.end())));
  EXPECT_EQ(machine()["instrument"].size(), 2U);
  EXPECT_THAT(read_whole(out_ / "summary.csv"), testing::Not(HasSubstr("again")));
}

TEST_F(CampaignTest, ReportGivesTheSameBytesTwice) {
  ASSERT_THAT(run(tiny_bench("3s")).exit_code, kDone);
  const auto first = drawn();
  std::filesystem::remove_all(out_ / "plots");
  std::filesystem::remove(out_ / "summary.csv");
  const BenchOutcome report = run({"report", out_});
  ASSERT_EQ(report.exit_code, 0) << report.errors;
  EXPECT_EQ(drawn(), first);
}

TEST_F(CampaignTest, ReportLeavesWhatItCannotReadAlone) {
  ASSERT_THAT(run(tiny_bench("3s")).exit_code, kDone);
  const auto before = drawn();
  const std::string trials = read_whole(out_ / "trials.csv");
  std::ofstream(out_ / "trials.csv") << trials.substr(0, trials.size() - 20);
  const BenchOutcome cut_off = run({"report", out_});
  EXPECT_EQ(cut_off.exit_code, 2);
  EXPECT_THAT(cut_off.errors, HasSubstr("trials.csv line"));
  std::ofstream(out_ / "machine.json") << R"({"schema_version": 99})";
  EXPECT_THAT(run({"report", out_}).errors, HasSubstr("schema_version 99"));
  std::filesystem::remove(out_ / "machine.json");
  EXPECT_EQ(run({"report", out_}).exit_code, 2);
  EXPECT_EQ(drawn(), before);
}

TEST_F(CampaignTest, InterruptKeepsWhatWasMeasured) {
  Process bench(muxlab(tiny_bench("19s")));
  const auto two_done = [&] {
    return bench.exit_code() || bench.last_words().find("[2/") != std::string::npos;
  };
  ASSERT_EQ(wait_for({&bench}, -1, Clock::now() + seconds(60), two_done), Wake::happened);
  bench.send(SIGINT);
  const auto ended = [&] { return bench.exit_code().has_value(); };
  ASSERT_EQ(wait_for({&bench}, -1, Clock::now() + seconds(60), ended), Wake::happened);
  EXPECT_EQ(bench.exit_code(), 130) << bench.last_words();
  EXPECT_THAT(bench.last_words(), HasSubstr("are kept in"));
  EXPECT_GE(trial_rows(read_csv(out_ / "trials.csv")).size(), 2U);
  EXPECT_EQ(machine()["run_status"], "interrupted");
  EXPECT_THAT(drawn()["latency-vs-connections-threads-1.svg"], HasSubstr("did not finish"));
}

/// What it would have measured without the interruption, in the same order.
TEST_F(CampaignTest, ResumesExactlyWhereItWasInterrupted) {
  const auto trials_of = [this] {
    std::vector<std::string> trials;
    for (const TrialRow& row : trial_rows(read_csv(out_ / "trials.csv"))) {
      if (row.attempt == 1) trials.push_back(fmt::format("{} {}", row.round, row.cell.backend));
    }
    return trials;
  };
  ASSERT_THAT(run(tiny_bench("9s")).exit_code, kDone);
  const auto whole = trials_of();
  const std::string record = read_whole(out_ / "machine.json");
  EXPECT_THAT(run({"bench", "--resume", out_}).errors, HasSubstr("it is complete"));

  // As if it had been killed in its second round.
  const CsvTable table = read_csv(out_ / "trials.csv");
  std::string cut = csv_record(table.header);
  for (std::size_t i = 0; i < 3; ++i) cut += csv_record(table.records[i]);
  write_whole(out_ / "trials.csv", cut);
  auto running = nlohmann::ordered_json::parse(record);
  running["run_status"] = "running";
  write_whole(out_ / "machine.json", running.dump());
  EXPECT_EQ(run({"bench", "--resume", out_, "--seed", "9"}).exit_code, 2);
  const BenchOutcome resumed = run({"bench", "--resume", out_});
  ASSERT_THAT(resumed.exit_code, kDone) << resumed.errors;
  EXPECT_EQ(trials_of(), whole);
  EXPECT_TRUE(read_whole(out_ / "trials.csv").starts_with(cut)) << "what was measured stays";
  EXPECT_EQ(machine()["run_status"], "complete");
  EXPECT_EQ(machine()["resumed_utc"].size(), 1U);

  running["machine"]["kernel_release"] = "1.0";
  write_whole(out_ / "machine.json", running.dump());
  EXPECT_THAT(run({"bench", "--resume", out_}).errors, HasSubstr("kernel_release"));
}

/// No trial is lost or there twice, whenever it was.
TEST_F(CampaignTest, ResumesAfterItWasKilled) {
  {
    Process bench(muxlab(tiny_bench("9s")));
    const auto two_done = [&] {
      return bench.exit_code() || bench.last_words().find("[2/") != std::string::npos;
    };
    ASSERT_EQ(wait_for({&bench}, -1, Clock::now() + seconds(60), two_done), Wake::happened);
    bench.send(SIGKILL);
    const auto ended = [&] { return bench.exit_code().has_value(); };
    ASSERT_EQ(wait_for({&bench}, -1, Clock::now() + seconds(60), ended), Wake::happened);
  }
  EXPECT_EQ(machine()["run_status"], "running");
  const BenchOutcome resumed = run({"bench", "--resume", out_});
  ASSERT_THAT(resumed.exit_code, kDone) << resumed.errors;
  std::map<std::pair<std::uint64_t, std::string>, int> trials;
  for (const TrialRow& row : trial_rows(read_csv(out_ / "trials.csv"))) {
    if (row.attempt == 1) ++trials[{row.round, row.cell.backend}];
  }
  EXPECT_EQ(trials.size(), 3U * 4);
  for (const auto& [trial, times] : trials) EXPECT_EQ(times, 1) << trial.second;
}

TEST_F(CampaignTest, UsageErrorsLeaveNothingBehind) {
  const BenchOutcome unknown = run({"bench", "--backends", "kqueue"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, AllOf(HasSubstr("kqueue"), HasSubstr("epoll-lt")));
  EXPECT_EQ(run({"bench", "speed"}).exit_code, 2);
  EXPECT_EQ(run({"bench", "--quick", "--for", "9s"}).exit_code, 2);
  EXPECT_EQ(run({"bench", "--dry-run"}).exit_code, 0);
  EXPECT_EQ(run({"bench", "--list"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(CampaignTest, NeverWritesIntoAFolderThatIsNotEmpty) {
  std::filesystem::create_directory(out_);
  std::ofstream(out_ / "precious") << "data";
  const BenchOutcome bench = run(tiny_bench("3s"));
  EXPECT_EQ(bench.exit_code, 2);
  EXPECT_THAT(bench.errors, HasSubstr("is not empty"));
  EXPECT_FALSE(std::filesystem::exists(out_ / "machine.json"));
}

}  // namespace
}  // namespace muxlab
