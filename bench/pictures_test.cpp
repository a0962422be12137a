#include <gmock/gmock.h>

#include <map>

#include "bench/report_test_folder.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The pictures of one experiment each, drawn of simulated trials.
class PicturesTest : public ResultFolderTest {
 protected:
  /// Trials of `backends` in `cells` of `experiment`; `change` may alter each.
  static std::vector<TrialRow> trials_of(
      const char* experiment, const std::vector<std::string>& backends,
      const std::vector<Cell>& cells,
      const std::function<void(TrialRow&)>& change = [](TrialRow&) {}) {
    std::vector<TrialRow> rows;
    for (std::uint64_t round = 1; round <= 7; ++round) {
      std::uint64_t order = 0;
      for (const Cell& cell : cells) {
        for (const std::string& backend : backends) {
          TrialRow row;
          row.round = round;
          row.order = ++order;
          row.experiment = experiment;
          row.cell = cell;
          row.cell.backend = backend;
          for (std::size_t i = 0; i < kTrialMetrics; ++i) {
            row.outcome.metrics[Metric{i}] = 1000 + 10 * static_cast<double>(round);
          }
          if (row.experiment != "cost") {
            row.outcome.metrics[Metric::cpu_rest_ns_per_echo] = std::nan("");
          }
          if (row.cell.churn == 0) {
            row.outcome.metrics[Metric::connections_per_s] = std::nan("");
            row.outcome.metrics[Metric::first_echo_ns_p99] = std::nan("");
          }
          change(row);
          rows.push_back(std::move(row));
        }
      }
    }
    return rows;
  }

  /// Has them drawn, twice, and returns the pictures by their names.
  std::map<std::string, std::string> drawn(const char* experiment,
                                           const std::vector<std::string>& backends,
                                           const std::vector<TrialRow>& rows) {
    auto about = record();
    about["experiment"] = experiment;
    about["grid"]["backends"] = backends;
    about["processors"] = {{{"threads", 1}, {"server", {0}}, {"client", {1}}},
                           {{"threads", 4}, {"server", {0}}, {"client", {1}}}};
    results_ = folder(experiment, rows, about);
    const auto once = pictures();
    EXPECT_EQ(pictures(), once);
    return once;
  }

  [[nodiscard]] std::string as_text() const {
    return run_muxlab({"report", results_, "--terminal"}).output;
  }
  [[nodiscard]] std::string page() const { return read_whole(results_ / "report.html"); }

 private:
  std::map<std::string, std::string> pictures() {
    std::filesystem::remove_all(results_ / "plots");
    const Said said = run_muxlab({"report", results_});
    EXPECT_EQ(said.exit_code, 0) << said.errors;
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(results_ / "plots")) {
      files[entry.path().stem()] = read_whole(entry.path());
    }
    return files;
  }

  Path results_;
};

Cell cell_of(std::uint64_t connections, std::uint64_t threads = 1) {
  Cell cell;
  cell.threads = threads;
  cell.threading = threads == 1 ? "single" : "reuseport";
  cell.connections = connections;
  return cell;
}

TEST_F(PicturesTest, TakeTheCostOfAnEchoApart) {
  const std::vector<std::string> backends = {"oracle", "epoll-lt", "blind-scan"};
  const auto change = [](TrialRow& row) {
    Metrics& metrics = row.outcome.metrics;
    if (row.cell.backend == "oracle") metrics[Metric::server_cpu_ns_per_echo] = std::nan("");
    if (row.cell.backend == "blind-scan") metrics[Metric::server_cpu_ns_per_echo] = 123'000;
  };
  const auto pictures =
      drawn("cost", backends, trials_of("cost", backends, {cell_of(1), cell_of(100)}, change));
  ASSERT_TRUE(pictures.contains("cost-connections-100-threads-1"));
  const std::string& picture = pictures.at("cost-connections-100-threads-1");
  for (const char* word : {"waiting", "reading", "writing", "control", "rest", "clocks", "floor",
                           "counted", "predicted", "blind-scan", "server CPU per echo (µs)"}) {
    EXPECT_THAT(picture, HasSubstr(word));
  }
  EXPECT_THAT(as_text(), HasSubstr("What the CPU time of an echo goes into, 1 server thread"));
  EXPECT_THAT(page(), AllOf(HasSubstr("<th scope=\"col\">waiting (µs)"),
                            HasSubstr("What the CPU time of an echo goes into, 100 connections")));
}

TEST_F(PicturesTest, HaveNumbersForBarsThatGoBeyond) {
  const std::vector<std::string> backends = {"select", "poll", "epoll-lt", "blind-scan"};
  const auto change = [](TrialRow& row) {
    if (row.cell.backend != "blind-scan") return;
    row.outcome.metrics[Metric::server_cpu_ns_per_echo] = 123'000;
  };
  const auto pictures =
      drawn("cost", backends, trials_of("cost", backends, {cell_of(100)}, change));
  EXPECT_THAT(pictures.at("cost-connections-100-threads-1"), HasSubstr("→ 123"));
}

TEST_F(PicturesTest, HaveThePercentilesOfTheLatency) {
  const std::vector<std::string> backends = {"poll", "epoll-lt"};
  Cell cell = cell_of(100);
  cell.rate_per_s = 5000;
  const auto pictures = drawn("latency", backends, trials_of("latency", backends, {cell}));
  const auto spectrum = pictures.find("spectrum-connections-100-threads-1");
  ASSERT_NE(spectrum, pictures.end());
  EXPECT_THAT(spectrum->second, AllOf(HasSubstr(">99.99<"), HasSubstr("percentile of the messages"),
                                      HasSubstr("5k messages per second"), HasSubstr("epoll-lt")));
  EXPECT_THAT(as_text(), HasSubstr("99.99"));
  EXPECT_THAT(page(), HasSubstr("<th scope=\"col\">p99.99 (ms)"));
}

/// What idle connections take is what there is more of with them.
TEST_F(PicturesTest, HaveTheMemoryOfAnIdleConnection) {
  const std::vector<std::string> backends = {"epoll-lt", "bufferevent"};
  Cell with = cell_of(1);
  with.idle = 100;
  const auto change = [](TrialRow& row) {
    const bool is_large = row.cell.backend == "bufferevent";
    row.outcome.metrics[Metric::server_resident_bytes] =
        1e6 + static_cast<double>(row.cell.idle) * (is_large ? 2048 : 512);
  };
  const auto pictures =
      drawn("memory", backends, trials_of("memory", backends, {cell_of(1), with}, change));
  EXPECT_EQ(pictures.size(), 1U) << "without idle connections there is nothing to show";
  EXPECT_THAT(pictures.begin()->second,
              AllOf(HasSubstr("the server's memory (KiB)"), HasSubstr("the kernel's own memory")));
  EXPECT_THAT(page(), HasSubstr("from 512 bytes (epoll-lt) to 2048 bytes (bufferevent)"));
}

TEST_F(PicturesTest, GoAlongThreadingModels) {
  const std::vector<std::string> backends = {"epoll-lt"};
  Cell shared = cell_of(64, 4);
  shared.threading = "shared";
  Cell acceptor = shared;
  acceptor.threading = "acceptor";
  const auto change = [](TrialRow& row) { row.outcome.metrics[Metric::fairness] = 0.9; };
  const auto pictures =
      drawn("fairness", backends, trials_of("fairness", backends, {shared, acceptor}, change));
  const std::string& picture = pictures.at("fairness-vs-threading-connections-64-threads-4");
  EXPECT_THAT(picture, AllOf(HasSubstr(">acceptor<"), HasSubstr(">shared<"), HasSubstr("Jain")));
  EXPECT_THAT(page(), HasSubstr("At acceptor: Jain&#39;s index from 0.9000"));
}

TEST_F(PicturesTest, ShadeWhereThereAreMoreThreadsThanProcessors) {
  const std::vector<std::string> backends = {"epoll-lt"};
  const auto rows = trials_of("threads", backends, {cell_of(64, 1), cell_of(64, 4)});
  const auto shaded = drawn("threads", backends, rows).at("cpu-vs-threads-connections-64");
  EXPECT_THAT(shaded,
              AllOf(HasSubstr("more threads than processors"), HasSubstr("rgb(240, 240, 240)")));
  const auto other = drawn("idle", backends, trials_of("idle", backends, {cell_of(64)}));
  EXPECT_THAT(other.begin()->second, Not(HasSubstr("more threads")));
}

TEST_F(PicturesTest, HaveConnectionsThatComeAndGo) {
  const std::vector<std::string> backends = {"epoll-lt"};
  Cell cell = cell_of(64, 2);
  cell.threading = "acceptor";
  cell.churn = 1;
  Cell by_pipe = cell;
  by_pipe.notify = "pipe";
  const auto pictures = drawn("handoff", backends, trials_of("handoff", backends, {cell, by_pipe}));
  EXPECT_THAT(
      pictures.at("first-echo-vs-notify-connections-64-threads-2"),
      AllOf(HasSubstr(">pipe<"), HasSubstr("what wakes the thread"), HasSubstr("p99 (ms)")));
  EXPECT_TRUE(pictures.contains("connections-vs-notify-connections-64-threads-2"));
}

}  // namespace
}  // namespace muxlab
