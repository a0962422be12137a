#include "bench/campaign/sliced_campaign.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <set>

#include "bench/data/csv.hpp"
#include "bench/data/files.hpp"
#include "bench/data/records.hpp"
#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;

/// Real campaigns of the real program, as small as they can be.
class SlicedCampaignTest : public ResultFolderTest {
 protected:
  SlicedCampaignTest() : out_(root_ / "out") {}

  [[nodiscard]] std::vector<std::string> small_bench(const std::string& load_time = "2s") const {
    return {"bench",         "--backends", "poll,threads",
            "--connections", "5,20",       "--for",
            load_time,       "--seed",     "7",
            "--out",         out_};
  }
  [[nodiscard]] Json machine() const { return Json::parse(read_whole(out_ / "machine.json")); }

  /// Starts a campaign that takes long, waits until it has recorded a rig, and ends it.
  int end_with(int signal) const {
    Command command{{MUXLAB_BINARY}, {}, {}};
    const auto words = small_bench("40s");
    command.words.insert(command.words.end(), words.begin(), words.end());
    Process bench(command);
    const auto has_recorded = [&] {
      return bench.exit_code() ||
             (std::filesystem::exists(out_ / "slices.csv") && read_records(out_).size() >= 5);
    };
    const auto deadline = Clock::now() + std::chrono::seconds(60);
    while (!has_recorded() && Clock::now() < deadline) {
      wait_for(bench, -1, Clock::now() + std::chrono::milliseconds(20),
               [&] { return bench.exit_code().has_value(); });
    }
    bench.send(signal);
    wait_for(bench, -1, Clock::now() + std::chrono::seconds(30),
             [&] { return bench.exit_code().has_value(); });
    return bench.exit_code().value_or(-1);
  }

  Path out_;
};

TEST_F(SlicedCampaignTest, MeasuresComparesAndReports) {
  const Said said = run_muxlab(small_bench());
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  for (const char* const part : {"relative to epoll-lt", "poll", "threads", "epoll-lt-again",
                                 "epoll-lt-extra-call", "Trust", "report.html"}) {
    EXPECT_THAT(said.output, HasSubstr(part));
  }
  EXPECT_EQ(machine()["run_status"], "complete");
  EXPECT_EQ(machine()["plan"]["seed"], 7);
  std::set<std::string> rows;
  std::uint64_t all_slices = 0;
  for (const RigRecord& record : read_records(out_)) {
    all_slices += record.slices;
    EXPECT_EQ(record.broken, 0U) << record.reason;
    EXPECT_GT(record.echoes, 0U);
    EXPECT_EQ(record.bytes, record.echoes * 64);
    rows.insert(record.cell.backend);
  }
  EXPECT_EQ(rows.size(), 5U);
  const CsvTable comparisons = read_csv(out_ / "comparisons.csv");
  std::map<std::string, int> metrics;
  for (const auto& record : comparisons.records) ++metrics[record[comparisons.column("metric")]];
  EXPECT_EQ(metrics["server_cpu_ns_per_echo"], 2 * 4);
  metrics.erase("server_cpu_ns_per_echo");
  metrics.erase("time_ns_per_echo");  // where the server happens to be the bound
  EXPECT_TRUE(metrics.empty());
  const CsvTable slices = read_csv(out_ / "slices.csv");
  EXPECT_EQ(slices.records.size(), all_slices);
  for (const char* const file : {"report.html", "report.md", "plots/ratios.svg"}) {
    EXPECT_THAT(read_whole(out_ / file), HasSubstr("epoll-lt")) << file;
  }
  EXPECT_THAT(read_whole(out_ / "report.md"), AllOf(HasSubstr("5 busy"), HasSubstr("20 busy")));
}

TEST_F(SlicedCampaignTest, ReportGivesTheSameBytesTwice) {
  ASSERT_EQ(run_muxlab(small_bench()).exit_code, 0);
  std::map<std::string, std::string> before;
  for (const char* const file : {"comparisons.csv", "summary.csv", "report.html", "report.md",
                                 "plots/ratios.svg", "plots/ratios.csv"}) {
    before[file] = read_whole(out_ / file);
    std::filesystem::remove(out_ / file);
  }
  const Said report = run_muxlab({"report", out_});
  ASSERT_EQ(report.exit_code, 0) << report.errors;
  for (const auto& [file, text] : before) EXPECT_EQ(read_whole(out_ / file), text) << file;
}

TEST_F(SlicedCampaignTest, JsonIsThatOfTheReport) {
  std::vector<std::string> words = small_bench();
  words.emplace_back("--json");
  const Said said = run_muxlab(words);
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  const Json answer = Json::parse(said.output);
  EXPECT_EQ(answer["loads"].size(), 2U);
  EXPECT_GE(answer["comparisons"].size(), 8U);
  EXPECT_EQ(answer["pooled"].size(), 4U);
  EXPECT_EQ(answer["self_check"]["same_again"]["loads"].size(), 2U);
  EXPECT_TRUE(answer["loads"][0]["backends"][0]["echoes_per_s"].is_null()) << "they share";
  EXPECT_TRUE(answer["loads"][1]["backends"][0]["echoes_per_s"].is_number());
  EXPECT_EQ(run_muxlab({"report", "--json", out_}).output, said.output);
}

TEST_F(SlicedCampaignTest, AnInterruptKeepsTheRigsThatAreDone) {
  EXPECT_EQ(end_with(SIGINT), 130);
  EXPECT_EQ(machine()["run_status"], "interrupted");
  EXPECT_GE(read_records(out_).size(), 5U);
  EXPECT_THAT(read_whole(out_ / "report.md"), HasSubstr("interrupted"));
}

TEST_F(SlicedCampaignTest, GoesOnAfterItWasKilled) {
  EXPECT_EQ(end_with(SIGKILL), 128 + SIGKILL);
  const auto before = read_records(out_);
  // As if it had been killed while a rig's slices were written.
  std::ofstream(out_ / "slices.csv", std::ios::app)
      << "0,99,0,poll,0.1,1,1,1,1,1,1,0,1,1,0,0,\n0,99,1,po";
  // With less time in the plan, which the resumed campaign follows, it ends soon.
  Json record = machine();
  for (Json& load : record["plan"]["loads"]) load["seconds"] = 3;
  write_whole(out_ / "machine.json", record.dump());
  const Said resumed = run_muxlab({"bench", "--resume", out_});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  const auto after = read_records(out_);
  ASSERT_GT(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    RigRecord same = before[i];
    same.look = after[i].look;  // with less time there are fewer looks
    EXPECT_EQ(record_fields(after[i]), record_fields(same));
  }
  EXPECT_EQ(machine()["run_status"], "complete");
  EXPECT_EQ(machine()["resumed_utc"].size(), 1U);
  EXPECT_THAT(read_whole(out_ / "slices.csv"), Not(HasSubstr("\n0,99,")));
  EXPECT_THAT(run_muxlab({"bench", "--resume", out_}).errors, HasSubstr("it is complete"));
}

TEST_F(SlicedCampaignTest, AnotherBuildOrMachineIsRefused) {
  ASSERT_EQ(run_muxlab(small_bench()).exit_code, 0);
  Json record = machine();
  record["run_status"] = "interrupted";
  Json other = record;
  other["program"] = "0123456789abcdef";
  write_whole(out_ / "machine.json", other.dump());
  const Said build = run_muxlab({"bench", "--resume", out_});
  EXPECT_EQ(build.exit_code, 2);
  EXPECT_THAT(build.errors, HasSubstr("another build"));
  other = record;
  other["machine"]["build"]["commit"] = "0123456789ab";
  write_whole(out_ / "machine.json", other.dump());
  const Said commit = run_muxlab({"bench", "--resume", out_});
  EXPECT_EQ(commit.exit_code, 2);
  EXPECT_THAT(commit.errors, AllOf(HasSubstr("build/commit"), HasSubstr("0123456789ab")));
  other = record;
  other["machine"]["kernel_release"] = "1.0";
  write_whole(out_ / "machine.json", other.dump());
  EXPECT_THAT(run_muxlab({"bench", "--resume", out_}).errors, HasSubstr("kernel_release"));
  other = record;
  other["plan"]["allowed_processors"] = {77};
  write_whole(out_ / "machine.json", other.dump());
  EXPECT_THAT(run_muxlab({"bench", "--resume", out_}).errors, HasSubstr("processors 77"));
  write_whole(out_ / "machine.json", record.dump());
  EXPECT_THAT(run_muxlab({"bench", "--resume", out_, "--seed", "3"}).errors,
              HasSubstr("leave out --seed"));
}

TEST_F(SlicedCampaignTest, BrokenFoldersAreNamedAndLeftAlone) {
  ASSERT_EQ(run_muxlab(small_bench()).exit_code, 0);
  const std::string records = read_whole(out_ / "records.csv");
  const std::string record = read_whole(out_ / "machine.json");
  const std::string report = read_whole(out_ / "report.md");
  write_whole(out_ / "records.csv", records.substr(0, records.size() - 30));
  const Said cut = run_muxlab({"report", out_});
  EXPECT_EQ(cut.exit_code, 2);
  EXPECT_THAT(cut.errors, HasSubstr("records.csv line"));
  std::filesystem::remove(out_ / "records.csv");
  EXPECT_EQ(run_muxlab({"report", out_}).exit_code, 2);
  write_whole(out_ / "records.csv", records);
  for (const char* const broken :
       {R"({"schema_version": 3})", R"({"schema_version": 3, "plan": []})",
        R"({"schema_version": 3, "plan": {"loads": 3}, "machine": 4})"}) {
    write_whole(out_ / "machine.json", broken);
    const Said said = run_muxlab({"report", out_});
    EXPECT_EQ(said.exit_code, 2) << broken;
    EXPECT_THAT(said.errors, AllOf(HasSubstr("machine.json"), Not(HasSubstr("json.exception"))));
  }
  for (const auto& [pointer, value] : std::map<std::string, Json>{
           {"/plan/loads/0/connections", 0},
           {"/plan/loads/1", Json::parse(record)["plan"]["loads"][0]},  // the same again
           {"/plan/loads/0/connections", -1.5},
           {"/plan/contenders/1/name", "\u001b[31m"},
           {"/plan/contenders/0/role", "compared"},
           {"/program", 3},
           {"/plan/loads", Json::array()}}) {
    Json other = Json::parse(record);
    other[Json::json_pointer(pointer)] = value;
    write_whole(out_ / "machine.json", other.dump());
    const Said said = run_muxlab({"report", out_});
    EXPECT_EQ(said.exit_code, 2) << pointer;
    EXPECT_THAT(said.errors, AllOf(HasSubstr("machine.json"), Not(HasSubstr("json.exception"))));
  }
  EXPECT_EQ(read_whole(out_ / "report.md"), report);
  write_whole(out_ / "machine.json", record);
  EXPECT_EQ(run_muxlab({"report", out_}).exit_code, 0);
}

/// Each kind of load gives its own metrics, with exact values where possible.
TEST_F(SlicedCampaignTest, AnOpenLoopTellsLatency) {
  const Said said = run_muxlab({"bench", "latency", "--backends", "poll", "--rate", "2k",
                                "--connections", "10", "--for", "5s", "--out", out_, "--json"});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  const Json answer = Json::parse(said.output);
  std::set<std::string> metrics;
  for (const Json& one : answer["comparisons"]) metrics.insert(one["metric"]);
  EXPECT_EQ(metrics,
            (std::set<std::string>{"server_cpu_ns_per_echo", "latency_ns_p50", "latency_ns_p99"}));
  for (const Json& one : answer["loads"][0]["backends"]) {
    EXPECT_GT(one["latency_ns"]["p50"], 0);
    EXPECT_GE(one["latency_ns"]["p99"], one["latency_ns"]["p50"]);
    EXPECT_EQ(one["bound"], "offered");
  }
  for (const RigRecord& record : read_records(out_)) {
    EXPECT_EQ(record.unsent, 0U);
    // As many as were due, within what chance does to them; a slice may be kept waiting.
    const auto due_in = [](double seconds) { return 2'000 * seconds; };
    const double least = due_in(0.25 * static_cast<double>(record.slices));
    const double most = due_in(static_cast<double>(record.elapsed_ns) / 1e9);
    EXPECT_GE(static_cast<double>(record.echoes), least - 6 * std::sqrt(least));
    EXPECT_LE(static_cast<double>(record.echoes), most + 6 * std::sqrt(most));
  }
}

TEST_F(SlicedCampaignTest, ConnectionsThatComeAndGoAreCounted) {
  const Said said = run_muxlab({"bench", "--churn", "2", "--backends", "poll,threads,io-uring",
                                "--connections", "10", "--for", "4s", "--out", out_});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, AllOf(HasSubstr("10 busy, churn 2"), HasSubstr("Time per connection"),
                                 HasSubstr("connect to first echo")));
  for (const RigRecord& record : read_records(out_)) {
    EXPECT_EQ(record.broken, 0U) << record.cell.backend << ": " << record.reason;
    EXPECT_GT(record.opened, 0U);
    // Each slice may begin and end in the middle of the life of ten connections.
    EXPECT_NEAR(static_cast<double>(record.echoes), 2 * static_cast<double>(record.opened),
                20 * static_cast<double>(record.slices));
    EXPECT_GT(record.first_echo_ns_p50, 0U);
    EXPECT_GE(record.first_echo_ns_p99, record.first_echo_ns_p50);
    // accept(2) of each, and the receive that reports its end
    EXPECT_GE(record.calls[static_cast<std::size_t>(Call::accept)], 0U);
  }
}

TEST_F(SlicedCampaignTest, CpuTimeIsTakenApart) {
  const Said said = run_muxlab(
      {"bench", "cost", "--backends", "poll", "--connections", "20", "--for", "2s", "--out", out_});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  for (const RigRecord& record : read_records(out_)) {
    const std::uint64_t in_calls =
        std::accumulate(record.call_ns.begin(), record.call_ns.end(), std::uint64_t{0});
    EXPECT_GT(in_calls, 0U);
    EXPECT_GT(record.clock_ns, 0U);
    // Short preemptions stay in the time of a call, so what others took may be in it, too.
    const double others_ns = record.others_share * static_cast<double>(record.elapsed_ns);
    EXPECT_LE(static_cast<double>(in_calls + record.clock_ns),
              1.05 * static_cast<double>(record.cpu_ns) + others_ns);
  }
  EXPECT_TRUE(std::filesystem::exists(out_ / "plots/cost-connections-20-threads-1.svg"));
}

TEST_F(SlicedCampaignTest, AServerThatIsAloneTellsItsMemory) {
  const Said said = run_muxlab(
      {"bench", "memory", "--backends", "threads", "--idle", "50", "--for", "4s", "--out", out_});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  for (const RigRecord& record : read_records(out_)) {
    EXPECT_EQ(record.broken, 0U) << record.reason;
    EXPECT_GT(record.resident_bytes, 1'000'000U);
    if (record.cell.backend != "threads") continue;
    EXPECT_GT(record.grown_bytes, 51U * 4'096) << "of the stack of each thread";
  }
}

TEST_F(SlicedCampaignTest, ThreadingModelsAreContenders) {
  const Said said = run_muxlab({"bench", "fairness", "--backends", "epoll-lt", "--threading",
                                "acceptor,half-sync", "--threads", "2", "--connections", "8",
                                "--for", "3s", "--out", out_});
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_THAT(said.output, HasSubstr("epoll-lt-half-sync"));
  const CsvTable summary = read_csv(out_ / "summary.csv");
  std::set<std::string> models;
  for (const auto& record : summary.records) {
    models.insert(record[summary.column("backend")] + " " + record[summary.column("threading")]);
    EXPECT_GT(std::stod(record[summary.column("fairness_median")]), 0.1);
  }
  EXPECT_EQ(models, (std::set<std::string>{"epoll-lt acceptor", "epoll-lt half-sync"}));
}

TEST_F(SlicedCampaignTest, APrecisionThatIsNotReachedIsFour) {
  std::vector<std::string> words = small_bench("1s");
  words.insert(words.end(), {"--precision", "0.01%"});
  const Said said = run_muxlab(words);
  EXPECT_EQ(said.exit_code, 4) << said.errors;
  EXPECT_EQ(machine()["run_status"], "complete");
}

TEST_F(SlicedCampaignTest, RemovedOptionsNameTheirSuccessor) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"bench", "--full"},
                                             {"bench", "throughput", "--rounds", "3"},
                                             {"bench", "--window", "1s"},
                                             {"bench", "--warmup=1s"},
                                             {"bench", "--unchecked"}}) {
    const Said said = run_muxlab(words);
    EXPECT_EQ(said.exit_code, 2) << words.back();
    EXPECT_THAT(said.errors, AllOf(HasSubstr("was removed"),
                                   AnyOf(HasSubstr("--for"), HasSubstr("self-check"))));
  }
  EXPECT_THAT(run_muxlab({"bench", "--help"}).output, Not(HasSubstr("--rounds")));
}

/// "1,2,3"
std::string many(int count) {
  std::string text = "1";
  for (int i = 2; i <= count; ++i) text += fmt::format(",{}", i);
  return text;
}

TEST_F(SlicedCampaignTest, MistakesLeaveNothingBehind) {
  struct Mistake {
    std::vector<std::string> words;
    std::string reason;
  };
  for (const Mistake& mistake : std::vector<Mistake>{
           {{"bench", "--for", "0"}, "--for 0"},
           {{"bench", "--for", "2000m"}, "24 hours"},
           {{"bench", "--precision", "3"}, "\"3\" is not a percentage"},
           {{"bench", "--precision", "0%"}, "percentage"},
           {{"bench", "--same-within", "100%"}, "percentage"},
           {{"bench", "--baseline", "kqueue"}, "kqueue"},
           {{"bench", "--placement", "near"}, "near"},
           {{"bench", "speed"}, "no experiment \"speed\""},
           {{"bench", "churn", "--rate", "5k"}, "leave out --rate"},
           {{"bench", "--quick", "--for", "9s"}, "--for"},
           {{"bench", "--for", "9223372036854775807ns"}, "24 hours"},
           {{"bench", "--for", "9223372036854775808ns"}, "--for"},
           {{"bench", "--for", "-1s"}, "--for"},
           {{"bench", "--connections", "18446744073709551616"}, "--connections"},
           {{"bench", "--connections", "9223372036854775807"}, "--connections"},
           {{"bench", "--size", "17592186044416m"}, "--size"},
           {{"bench", "--seed", "4294967296"}, "--seed"},
           {{"bench", "--backends", "oracle", "--unix"}, "leave out --unix"},
           {{"bench", "--backends", "oracle", "--depth", "2"}, "leave out --depth"},
           {{"bench", "--backends", "oracle", "--size", "32k"}, "leave out --size"},
           {{"bench", "--backends", "oracle", "--engine", "io-uring"}, "leave out --engine"},
           {{"bench", "--backends", "oracle", "--rate", "1k"}, "leave out --rate"},
           {{"bench", "--backends", "oracle", "--baseline", "oracle", "--unix"},
            "the baseline cannot take part"},
           {{"bench", "--backends", "threads", "--threading", "half-sync"},
            "threads does not do --threading half-sync"},
           {{"bench", "--connections", many(40), "--size", many(40)}, "ask for 1600 loads"},
           {{"bench", "--backends", "poll,poll"}, "twice"},
           {{"bench", "--connections", "5,5"}, "twice"}}) {
    std::vector<std::string> words = mistake.words;
    words.insert(words.end(), {"--out", out_});
    const Said said = run_muxlab(words);
    EXPECT_EQ(said.exit_code, 2) << mistake.reason;
    EXPECT_THAT(said.errors, HasSubstr(mistake.reason));
  }
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

std::string& written() {
  static std::string text;
  return text;
}

TEST_F(SlicedCampaignTest, TellsOnALineOfTheTerminalsWidth) {
  SlicedPlan plan;
  plan.contenders = {{{"epoll-lt", "epoll-lt"}, Role::baseline},
                     {{"io-uring", "io-uring"}, Role::compared}};
  PlannedLoad load;
  load.cell.threading = "single";
  load.cell.connections = 100;
  load.unavailable = {"", ""};
  plan.loads = {load, load};
  std::vector<RigRecord> records(2);
  for (std::size_t i = 0; i < 2; ++i) {
    records[i].cell = load.cell;
    records[i].cell.backend = plan.contenders[i].contender.name;
    records[i].baseline = "epoll-lt";
    records[i].echoes = records[i].cpu_ns = 1'000;
  }
  records[1].summaries[Metric::cpu] = {
      .blocks = 50, .trimmed_mean = -0.1, .winsorised_variance = 0.01};
  const Answer answer = answer_of(plan, records);
  for (const std::size_t columns : {40U, 80U, 300U}) {
    written().clear();
    {
      SlicedProgress progress(
          plan, [](std::string_view text) { written() += text; }, true, columns);
      progress.show({.load = 1, .share = 0.25, .left_s = 30, .so_far = [&] { return answer; }}, 61);
    }
    EXPECT_THAT(written(), HasSubstr("load 2 of 2, 100 busy: 25 %"));
    const std::size_t begin = written().find("\033[K") + 3;
    EXPECT_LT(written().find('\r', begin) - begin, columns);
    if (columns < 80) continue;
    EXPECT_THAT(written(), AllOf(HasSubstr("at most 1 min 1 s left"), HasSubstr("io-uring 0.90")));
  }
}

}  // namespace
}  // namespace muxlab
