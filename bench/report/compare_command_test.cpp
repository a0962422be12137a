#include <gmock/gmock.h>

#include "bench/report/testing.hpp"

namespace muxlab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::ordered_json;

class CompareTest : public ResultFolderTest {
 protected:
  /// Makes a campaign with the costs of each backend, on a machine that is `slow` times as slow.
  [[nodiscard]] Path folder(
      const std::string& name, double io_uring, double poll, std::uint64_t seed, double slow = 1,
      const std::function<void(Json&)>& change = [](Json&) {}) const {
    Cell open = SimulatedCampaign::cell_of(100);
    open.rate_per_s = 5'000;
    open.depth = 0;
    SimulatedCampaign campaign({"epoll-lt", "io-uring", "poll"},
                               {SimulatedCampaign::cell_of(100), open}, seed);
    campaign.measure(
        [&](const Cell&, const std::string& backend) {
          return backend == "io-uring" ? io_uring : poll;
        },
        0.05, slow);
    campaign.write(root_ / name, change);
    return root_ / name;
  }
};

TEST_F(CompareTest, ARegressionIsFive) {
  const Path before = folder("before", 0.9, 1.2, 1);
  const Path after = folder("after", 1.0, 1.2, 2);
  const Said same = run_muxlab({"compare", before, folder("again", 0.9, 1.2, 3)});
  EXPECT_EQ(same.exit_code, 0) << same.output << same.errors;
  EXPECT_THAT(same.output, HasSubstr("0 regressed and 0 improved"));
  const Said worse = run_muxlab({"compare", before, after});
  EXPECT_EQ(worse.exit_code, 5) << worse.errors;
  EXPECT_THAT(worse.output, AllOf(HasSubstr("io-uring, 100 busy"), HasSubstr("x0.9"),
                                  HasSubstr("regressed"), Not(HasSubstr("poll, 100 busy"))));
  const Said better = run_muxlab({"compare", after, before});
  EXPECT_EQ(better.exit_code, 0);
  EXPECT_THAT(better.output, AllOf(HasSubstr("improved"), HasSubstr("0 regressed")));
  EXPECT_EQ(run_muxlab({"compare", before, after, "--threshold", "30%"}).exit_code, 0);
}

/// The change of a backend does not depend on the state of the machine on another day; the change
/// of the baseline cannot be separated from it.
TEST_F(CompareTest, AMachineThatIsSlowerIsNoRegressionOfTheOthers) {
  const Said said = run_muxlab(
      {"compare", folder("before", 0.9, 1.2, 1), folder("after", 0.9, 1.2, 2, 1.3), "--json"});
  EXPECT_EQ(said.exit_code, 5) << said.errors;
  const Json all = Json::parse(said.output);
  for (const Json& change : all["changes"]) {
    const bool is_calls = change["metric"] == "syscalls_per_echo";
    const bool is_baselines = change["backend"] == "epoll-lt" && !is_calls;
    EXPECT_EQ(change["verdict"], is_baselines ? "regressed" : "same") << change.dump();
    EXPECT_EQ(change["relative"], !is_baselines && !is_calls);
  }
}

TEST_F(CompareTest, JsonHasCpuTimeCallsAndLatency) {
  const Said said = run_muxlab(
      {"compare", folder("before", 0.9, 1.2, 1), folder("after", 1.0, 1.2, 2), "--json"});
  EXPECT_EQ(said.exit_code, 5);
  const Json all = Json::parse(said.output);
  std::map<std::string, int> metrics;
  for (const Json& change : all["changes"]) {
    ++metrics[change["metric"]];
    EXPECT_LE(change["low"], change["ratio"]);
    EXPECT_LE(change["ratio"], change["high"]);
  }
  EXPECT_EQ(metrics, (std::map<std::string, int>{{"server_cpu_ns_per_echo", 6},
                                                 {"syscalls_per_echo", 6},
                                                 {"latency_ns_p50", 3},
                                                 {"latency_ns_p99", 3}}));
  EXPECT_EQ(all["schema_version"], 2);
  EXPECT_EQ(all["regressed"], 4) << "CPU time at two loads, and two percentiles";
}

/// 20 pairs of campaigns that do not differ: intervals hold together for each figure.
TEST_F(CompareTest, FindsNothingWhereNothingChanged) {
  int wrong = 0;
  for (std::uint64_t pair = 0; pair < 20; ++pair) {
    const Path before = folder("before", 0.9, 1.2, 2 * pair);
    const Path after = folder("after", 0.9, 1.2, 2 * pair + 1);
    wrong += run_muxlab({"compare", before, after, "--threshold", "0.1%"}).exit_code == 5 ? 1 : 0;
  }
  EXPECT_LE(wrong, 4) << "four figures, each with 5 %";
}

TEST_F(CompareTest, SaysWhatElseDiffers) {
  const Path before = folder("before", 0.9, 1.2, 1);
  const Path after = folder("after", 0.9, 1.2, 2, 1, [](Json& record) {
    record["machine"]["kernel_release"] = "6.12.0";
    record["run_status"] = "interrupted";
  });
  EXPECT_THAT(run_muxlab({"compare", before, after}).errors,
              AllOf(HasSubstr("machine/kernel_release differs: \"6.1.0\" and \"6.12.0\""),
                    HasSubstr("is interrupted")));
}

TEST_F(CompareTest, WhatHasNothingInCommonIsRefused) {
  SimulatedCampaign other({"epoll-lt", "poll"}, {SimulatedCampaign::cell_of(7)});
  other.measure([](const Cell&, const std::string&) { return 1; });
  other.write(root_ / "other");
  const Path before = folder("before", 0.9, 1.2, 1);
  const Said said = run_muxlab({"compare", before, root_ / "other"});
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_THAT(said.errors, HasSubstr("no backend was measured in both at the same load"));
  EXPECT_EQ(run_muxlab({"compare", before}).exit_code, 2);
  EXPECT_EQ(run_muxlab({"compare", before, root_ / "nowhere"}).exit_code, 2);
  for (const char* const threshold : {"-1", "nan", "3", "200%"}) {
    EXPECT_EQ(run_muxlab({"compare", before, before, "--threshold", threshold}).exit_code, 2);
  }
}

}  // namespace
}  // namespace muxlab
