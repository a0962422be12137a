#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "bench/compare_change.hpp"
#include "bench/compare_unpaired.hpp"

namespace muxlab {
namespace {

using testing::HasSubstr;

/// What a backend does in a simulated campaign.
struct Simulated {
  double cpu_ns = 5000;
  double cpu_noise = 0.03;
  double syscalls = 2.1;
  double client_util = 0.6;
};

class SimulatedCampaign {
 public:
  SimulatedCampaign(std::uint64_t trials, std::uint64_t seed) : trials_(trials), random_(seed) {}

  SimulatedCampaign& with(const std::string& backend, const Simulated& simulated = {}) {
    std::lognormal_distribution<double> cpu(0, simulated.cpu_noise);
    std::lognormal_distribution<double> little(0, 0.002);
    for (std::uint64_t trial = 1; trial <= trials_; ++trial) {
      for (const std::uint64_t connections : {100U, 1000U}) {
        TrialRow row;
        row.round = trial;
        row.experiment = "throughput";
        row.cell.backend = backend;
        row.cell.threading = "single";
        row.cell.connections = connections;
        Metrics& metrics = row.outcome.metrics;
        metrics[Metric::server_cpu_ns_per_echo] = simulated.cpu_ns * cpu(random_);
        metrics[Metric::syscalls_per_echo] = simulated.syscalls * little(random_);
        metrics[Metric::echoes_per_s] = 1e9 / metrics[Metric::server_cpu_ns_per_echo];
        metrics[Metric::client_cpu_util] = simulated.client_util;
        metrics[Metric::server_cpu_util] = 0.99;
        rows.push_back(row);
      }
    }
    return *this;
  }

  std::vector<TrialRow> rows;

 private:
  std::uint64_t trials_;
  std::mt19937_64 random_;
};

constexpr double kThreshold = 0.03;

std::size_t count_of(const Changes& found, ChangeVerdict verdict) {
  return static_cast<std::size_t>(std::ranges::count(found.changes, verdict, &Change::verdict));
}

TEST(Compare, FindsWhatRegressedAndWhatImproved) {
  SimulatedCampaign before(10, 1);
  before.with("a").with("b").with("c");
  SimulatedCampaign after(10, 2);
  after.with("a").with("b", {.cpu_ns = 6500}).with("c", {.syscalls = 1.1});
  const Changes found = find_changes(before.rows, after.rows, {}, kThreshold);
  ASSERT_EQ(found.changes.size(), 18U);
  EXPECT_TRUE(found.not_compared.empty());
  for (const Change& change : found.changes) {
    const std::string& backend = change.point.cell.backend;
    const bool is_cpu = change.metric != Metric::syscalls_per_echo;
    if (backend == "b" && is_cpu) {
      EXPECT_EQ(change.verdict, ChangeVerdict::regressed) << "throughput falls as cost grows";
    } else if (backend == "c" && !is_cpu) {
      EXPECT_EQ(change.verdict, ChangeVerdict::improved);
    } else if (!is_cpu) {
      EXPECT_EQ(change.verdict, ChangeVerdict::same) << "which varies too little to hide anything";
    } else {
      EXPECT_THAT(change.verdict, testing::AnyOf(ChangeVerdict::same, ChangeVerdict::cannot_tell));
    }
  }
}

TEST(Compare, CallsNothingChangedThatIsCertainButSmall) {
  SimulatedCampaign before(10, 3);
  SimulatedCampaign after(10, 4);
  before.with("a", {.cpu_noise = 0.001});
  after.with("a", {.cpu_ns = 5100, .cpu_noise = 0.001});
  const Changes found = find_changes(before.rows, after.rows, {}, kThreshold);
  ASSERT_LT(found.changes.front().p_of_all, 1e-6);
  EXPECT_EQ(count_of(found, ChangeVerdict::same), found.changes.size());
}

TEST(Compare, RatesOfABusyClientAreNotTheServers) {
  SimulatedCampaign before(10, 5);
  SimulatedCampaign after(10, 6);
  before.with("a");
  after.with("a", {.cpu_ns = 10'000, .client_util = 0.97});
  const Changes found = find_changes(before.rows, after.rows, {}, kThreshold);
  EXPECT_EQ(found.changes.size(), 4U);
  ASSERT_EQ(found.not_compared.size(), 2U);
  EXPECT_EQ(found.not_compared.front().metric, Metric::echoes_per_s);
  EXPECT_THAT(found.not_compared.front().reason, HasSubstr("may be the client's"));
}

TEST(Compare, TakesSevenTrialsOfEach) {
  SimulatedCampaign before(6, 7);
  SimulatedCampaign after(10, 8);
  before.with("a");
  after.with("a", {.cpu_ns = 50'000});
  const Changes found = find_changes(before.rows, after.rows, {}, kThreshold);
  EXPECT_TRUE(found.changes.empty());
  EXPECT_THAT(found.not_compared.front().reason, HasSubstr("6 and 10 trials"));
}

TEST(Compare, OnlyWhatBothHaveMeasuredAlike) {
  SimulatedCampaign before(7, 9);
  SimulatedCampaign after(7, 10);
  before.with("a").with("gone");
  after.with("a");
  for (TrialRow& row : after.rows) {
    if (row.cell.connections == 100) row.cell.size_bytes = 4096;
  }
  const Changes found = find_changes(before.rows, after.rows, {}, kThreshold);
  EXPECT_EQ(found.changes.size(), 3U) << "of one backend at one point";
  EXPECT_EQ(found.only_before, 3U);
  EXPECT_EQ(found.only_after, 1U);
}

TEST(Compare, PutsBackendsInTheirOrder) {
  SimulatedCampaign before(7, 11);
  before.with("a").with("b").with("c");
  const std::vector<std::string> order = {"c", "a"};
  const Changes found = find_changes(before.rows, before.rows, order, kThreshold);
  std::vector<std::string> names;
  for (const Change& change : found.changes) {
    if (change.metric != Metric::syscalls_per_echo || change.point.cell.connections != 100)
      continue;
    names.push_back(change.point.cell.backend);
  }
  EXPECT_THAT(names, testing::ElementsAre("c", "a", "b"));
}

/// Campaigns of the same, of which one in twenty may seem to differ: 28 of 400 are 1.8 deviations
/// more. With a threshold of 0, so that chance has nothing else against it.
TEST(Compare, FindsNothingWhereNothingChanged) {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SimulatedCampaign before(10, 2 * seed);
    SimulatedCampaign after(7, 2 * seed + 1);
    for (const char* backend : {"a", "b", "c"}) {
      before.with(backend, {.cpu_noise = 0.05, .client_util = 0.99});
      after.with(backend, {.cpu_noise = 0.15, .client_util = 0.99});
    }
    const Changes found = find_changes(before.rows, after.rows, {}, 0);
    wrong +=
        count_of(found, ChangeVerdict::regressed) + count_of(found, ChangeVerdict::improved) > 0;
  }
  EXPECT_LE(wrong, 28);
}

/// A tenth dearer where trials vary by three in a hundred, among as many comparisons as a campaign
/// of a dozen backends makes.
TEST(Compare, FindsATenthInNineOfTen) {
  int found_it = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SimulatedCampaign before(10, 1000 + 2 * seed);
    SimulatedCampaign after(10, 1001 + 2 * seed);
    before.with("slower", {.client_util = 0.99});
    after.with("slower", {.cpu_ns = 5500, .client_util = 0.99});
    for (const char* backend : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}) {
      before.with(backend, {.client_util = 0.99});
      after.with(backend, {.client_util = 0.99});
    }
    for (const Change& change : find_changes(before.rows, after.rows, {}, kThreshold).changes) {
      if (change.point.cell.backend != "slower") continue;
      found_it += change.verdict == ChangeVerdict::regressed ? 1 : 0;
    }
  }
  EXPECT_GE(found_it, 180) << "of 200: there are two such points";
}

TEST(UnpairedRatio, KnowsWelchsTest) {
  // The logarithms are 0, 1, 2 and 3, 5, 7, 9: by hand, t = 5 / sqrt(1/3 + 5/3) = 3.5355 with
  // 4 / ((1/9) / 2 + (25/9) / 3) = 4.0755 degrees of freedom.
  std::vector<double> before;
  std::vector<double> after;
  for (const double log : {0.0, 1.0, 2.0}) before.push_back(std::exp(log));
  for (const double log : {3.0, 5.0, 7.0, 9.0}) after.push_back(std::exp(log));
  const auto ratio = unpaired_ratio(before, after);
  ASSERT_TRUE(ratio);
  EXPECT_NEAR(std::log(ratio->ratio), 5, 1e-9);
  EXPECT_NEAR(ratio->p, two_sided_p(5 / std::sqrt(2), 4.0754717), 1e-6);
  EXPECT_NEAR(two_sided_p(std::log(ratio->ratio / ratio->interval.low) / std::sqrt(2), 4.0754717),
              0.05, 1e-6);
  EXPECT_NEAR(std::log(ratio->interval.high) + std::log(ratio->interval.low), 10, 1e-9);
}

TEST(UnpairedRatio, IsCertainOfWhatDoesNotVary) {
  const auto same = unpaired_ratio({2.1, 2.1, 2.1}, {2.1, 2.1});
  EXPECT_EQ(same->p, 1);
  EXPECT_NEAR(same->interval.high, 1, 1e-12);
  const auto other = unpaired_ratio({2, 2, 2}, {3, 3});
  EXPECT_EQ(other->p, 0);
  EXPECT_NEAR(other->ratio, 1.5, 1e-12);
  EXPECT_EQ(other->interval.low, other->interval.high);
}

TEST(UnpairedRatio, LeavesOutWhatWasNotMeasured) {
  EXPECT_FALSE(unpaired_ratio({1, std::nan("")}, {1, 2, 3}));
  EXPECT_FALSE(unpaired_ratio({1, 2, 3}, {0, 2}));
  EXPECT_EQ(unpaired_ratio({1, 2, std::nan("")}, {2, 4, 0})->after_count, 2U);
}

}  // namespace
}  // namespace muxlab
