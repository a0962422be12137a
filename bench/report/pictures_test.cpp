#include <gmock/gmock.h>

#include <map>

#include "bench/report/plots.hpp"
#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The pictures of one experiment each, drawn of simulated campaigns.
class PicturesTest : public ResultFolderTest {
 protected:
  static Cell cell_of(std::uint64_t connections, std::uint64_t threads = 1) {
    return SimulatedCampaign::cell_of(connections, threads);
  }

  /// Has them drawn, twice, and returns the pictures by their names.
  std::map<std::string, std::string> drawn(const char* experiment, SimulatedCampaign& campaign) {
    campaign.plan.experiment = experiment;
    campaign.measure([](const Cell&, const std::string& name) {
      return name == "blind-scan" ? 24 : name == "bufferevent" ? 2 : 1;
    });
    results_ = root_ / experiment;
    campaign.write(results_);
    const auto once = pictures();
    EXPECT_EQ(pictures(), once);
    return once;
  }
  [[nodiscard]] std::string page() const { return read_whole(results_ / "report.html"); }

 private:
  std::map<std::string, std::string> pictures() {
    std::filesystem::remove_all(results_ / "plots");
    const Said said = run_muxlab({"report", results_});
    EXPECT_EQ(said.exit_code, 0) << said.errors;
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(results_ / "plots")) {
      if (entry.path().extension() == ".svg") files[entry.path().stem()] = read_whole(entry.path());
    }
    return files;
  }

  Path results_;
};

TEST_F(PicturesTest, TakeTheCostOfAnEchoApart) {
  SimulatedCampaign campaign({"epoll-lt", "oracle", "select", "poll", "blind-scan"},
                             {cell_of(1), cell_of(100)});
  campaign.plan.time_calls = true;
  const auto pictures = drawn("cost", campaign);
  ASSERT_TRUE(pictures.contains("cost-connections-100-threads-1"));
  const std::string& picture = pictures.at("cost-connections-100-threads-1");
  for (const char* word : {"waiting", "reading", "writing", "control", "rest", "clocks", "floor",
                           "counted", "predicted", "blind-scan", "server CPU per echo (µs)"}) {
    EXPECT_THAT(picture, HasSubstr(word));
  }
  EXPECT_THAT(picture, HasSubstr("→ 12")) << "a bar that goes beyond has its number";
  EXPECT_THAT(page(), AllOf(HasSubstr("<th scope=\"col\">waiting (µs)"),
                            HasSubstr("What the CPU time of an echo goes into, 100 connections")));
}

TEST_F(PicturesTest, HaveThePercentilesOfTheLatency) {
  Cell cell = cell_of(100);
  cell.rate_per_s = 5'000;
  cell.depth = 0;
  SimulatedCampaign campaign({"epoll-lt", "poll"}, {cell});
  const auto pictures = drawn("latency", campaign);
  const auto spectrum = pictures.find("spectrum-connections-100-threads-1");
  ASSERT_NE(spectrum, pictures.end());
  EXPECT_THAT(spectrum->second, AllOf(HasSubstr(">99.99<"), HasSubstr("percentile of the messages"),
                                      HasSubstr("5k messages per second"), HasSubstr("epoll-lt")));
  EXPECT_THAT(page(), HasSubstr("<th scope=\"col\">p99.99 (ms)"));
}

TEST_F(PicturesTest, HaveTheMemoryOfAConnection) {
  Cell cell = cell_of(1);
  cell.idle = 99;
  SimulatedCampaign campaign({"epoll-lt", "bufferevent"}, {cell});
  const auto pictures = drawn("memory", campaign);
  EXPECT_THAT(pictures.at("memory-connections-1-threads-1"),
              AllOf(HasSubstr("the server's memory (KiB)"), HasSubstr("the kernel's own memory")));
  EXPECT_THAT(page(), HasSubstr("from 2048 bytes"));
}

TEST_F(PicturesTest, GoAlongThreadingModels) {
  SimulatedCampaign campaign({"epoll-lt", "epoll-lt-acceptor"}, {cell_of(64, 4)});
  campaign.plan.contenders[0].contender.threading = "shared";
  campaign.plan.contenders[1].contender = {"epoll-lt-acceptor", "epoll-lt", "acceptor", ""};
  const auto pictures = drawn("fairness", campaign);
  const std::string& picture = pictures.at("fairness-vs-threading-connections-64-threads-4");
  EXPECT_THAT(picture, AllOf(HasSubstr(">acceptor<"), HasSubstr(">shared<"), HasSubstr("Jain")));
  EXPECT_THAT(page(), HasSubstr("At acceptor: Jain&#39;s index from 0.9000"));
}

TEST_F(PicturesTest, ShadeWhereThereAreMoreThreadsThanProcessors) {
  SimulatedCampaign threads({"epoll-lt", "poll"}, {cell_of(64), cell_of(64, 4)});
  EXPECT_THAT(drawn("threads", threads).at("cpu-vs-threads-connections-64"),
              AllOf(HasSubstr("more threads than processors"), HasSubstr("rgb(240, 240, 240)")));
  SimulatedCampaign idle({"epoll-lt", "poll"}, {cell_of(64)});
  EXPECT_THAT(drawn("idle", idle).begin()->second, Not(HasSubstr("more threads")));
}

TEST_F(PicturesTest, HaveConnectionsThatComeAndGo) {
  Cell cell = cell_of(64, 2);
  cell.threading = "acceptor";
  cell.churn = 1;
  SimulatedCampaign campaign({"epoll-lt-eventfd", "epoll-lt-pipe"}, {cell});
  campaign.plan.contenders[0].contender = {"epoll-lt-eventfd", "epoll-lt", "acceptor", "eventfd"};
  campaign.plan.contenders[1].contender = {"epoll-lt-pipe", "epoll-lt", "acceptor", "pipe"};
  const auto pictures = drawn("handoff", campaign);
  EXPECT_THAT(
      pictures.at("first-echo-vs-notify-connections-64-threads-2"),
      AllOf(HasSubstr(">pipe<"), HasSubstr("what wakes the thread"), HasSubstr("p99 (ms)")));
  EXPECT_TRUE(pictures.contains("connections-vs-notify-connections-64-threads-2"));
}

/// A rate that something else than the server bounded: gnuplot's name of a full triangle, and on it
/// a smaller one in the colour of the paper.
TEST_F(PicturesTest, HavePointsHollowWhereTheServerWasNotTheBound) {
  constexpr const char* kHole = "color='rgb\\(255, 255, 255\\)'/>";
  SimulatedCampaign server({"epoll-lt", "poll"}, {cell_of(100)});
  EXPECT_THAT(drawn("throughput", server).at("throughput-vs-connections-threads-1"),
              Not(testing::ContainsRegex(kHole)));
  SimulatedCampaign client({"epoll-lt", "poll"}, {cell_of(100)});
  for (auto& load : client.plan.loads) load.processors.server = {0, 2, 3};
  EXPECT_THAT(drawn("throughput", client).at("throughput-vs-connections-threads-1"),
              testing::ContainsRegex(kHole));
}

}  // namespace
}  // namespace muxlab
