#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "bench/data/csv.hpp"
#include "bench/data/experiment.hpp"

namespace muxlab {
namespace {

using Path = std::filesystem::path;

/// The reference campaign, which has every experiment.
constexpr std::string_view kCampaign = "results/xeon-2-vcpu-2026-11-28";

/// Known results of earlier measurements, which the committed campaign must show as well.
class KnownShapes : public testing::Test {
 protected:
  static Path folder_of(std::string_view experiment) {
    return Path(MUXLAB_SOURCE_DIR) / kCampaign / experiment;
  }

  /// The medians of `metric` of `backend` along `axis`.
  static std::map<double, double> along(std::string_view experiment, const std::string& axis,
                                        const std::string& backend, const std::string& metric) {
    const CsvTable table = read_csv(folder_of(experiment) / "summary.csv");
    std::map<double, double> values;
    for (const auto& record : table.records) {
      const std::string& value = record[table.column(metric + "_median")];
      if (record[table.column("backend")] != backend || value.empty()) continue;
      values[std::stod(record[table.column(axis)])] = std::stod(value);
    }
    EXPECT_GE(values.size(), 2U) << experiment << " has no " << metric << " of " << backend;
    return values;
  }

  static constexpr const char* kCpu = "server_cpu_ns_per_echo";
  static constexpr const char* kCalls = "syscalls_per_echo";
};

TEST_F(KnownShapes, AreOfACompleteCampaign) {
  for (const Experiment& experiment : experiments()) {
    if (experiment.name == "calibration") continue;  // it is about the instrument
    const Path record = folder_of(experiment.name) / "machine.json";
    ASSERT_TRUE(std::filesystem::exists(record)) << record << " is missing";
    std::ifstream file(record);
    const auto machine = nlohmann::json::parse(file);
    EXPECT_EQ(machine.at("run_status"), "complete") << experiment.name;
    EXPECT_EQ(machine.at("profile"), "full") << experiment.name;
  }
}

/// Both walk over all descriptors. So ten times as many idle ones add ten times the cost, or more
/// when they no longer fit into a cache.
TEST_F(KnownShapes, SelectAndPollPayForIdleConnections) {
  for (const char* backend : {"select", "poll"}) {
    const auto cpu = along("idle", "idle", backend, kCpu);
    const double few = cpu.at(1'000) - cpu.at(0);
    const double many = cpu.at(10'000) - cpu.at(0);
    EXPECT_GT(few, 0) << backend;
    EXPECT_GT(many, 5 * few) << backend;
    EXPECT_GT(cpu.at(15'000), 5 * cpu.at(0)) << backend;
  }
}

TEST_F(KnownShapes, EpollAndIoUringDoNotPayForIdleConnections) {
  for (const char* backend : {"epoll-lt", "epoll-et", "io-uring", "libevent-epoll"}) {
    const auto cpu = along("idle", "idle", backend, kCpu);
    EXPECT_LT(cpu.at(15'000), 1.5 * cpu.at(0)) << backend;
  }
}

TEST_F(KnownShapes, PollIsAtOrBelowEpollWhereAllAreActive) {
  const auto poll = along("active", "connections", "poll", kCpu);
  const auto epoll = along("active", "connections", "epoll-lt", kCpu);
  EXPECT_LE(poll.at(5'000), 1.05 * epoll.at(5'000));
  EXPECT_GT(poll.at(10), 2 * epoll.at(10)) << "where few are";
}

TEST_F(KnownShapes, BuffereventIsDearerByItsExtraCalls) {
  const auto of = [](const char* backend, const char* metric) {
    return along("bufferevent-vs-event", "size_bytes", backend, metric);
  };
  for (const auto& [size, calls] : of("bufferevent", kCalls)) {
    EXPECT_GT(calls, of("libevent-epoll", kCalls).at(size) + 0.5) << size;
  }
  EXPECT_GT(of("bufferevent", kCpu).at(64), of("libevent-epoll", kCpu).at(64));
}

/// The difference is unclear, or as small as the saved calls.
TEST_F(KnownShapes, LevelAndEdgeAreCloseToEachOther) {
  const CsvTable table = read_csv(folder_of("lt-vs-et") / "comparisons.csv");
  std::size_t compared = 0;
  for (const auto& record : table.records) {
    const auto field = [&](const char* name) { return record[table.column(name)]; };
    if (field("backend") != "epoll-et" || field("metric") != kCpu) continue;
    ++compared;
    const std::string at =
        fmt::format("at {} connections: {}", field("connections"), field("verdict"));
    const double low = std::stod(field("ratio_low"));
    const double high = std::stod(field("ratio_high"));
    if (field("verdict") == "cheaper") {
      EXPECT_LT(high, 1) << at;
    }
    if (field("verdict") == "dearer") {
      EXPECT_GT(low, 1) << at;
    }
    EXPECT_GT(std::stod(field("ratio")), 0.9) << at;
    EXPECT_LT(std::stod(field("ratio")), 1.1) << at;
  }
  EXPECT_GE(compared, 4U);
}

}  // namespace
}  // namespace muxlab
