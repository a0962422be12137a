#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

#include "bench/analysis/verdict.hpp"
#include "bench/data/files.hpp"
#include "server/testing/program.hpp"

namespace muxlab {

/// A campaign that no machine has measured: eight rigs of each load, 40 blocks each.
class SimulatedCampaign {
 public:
  /// `backends`, the first of which is the baseline, and it once more as the self-check.
  SimulatedCampaign(const std::vector<std::string>& backends, const std::vector<Cell>& loads,
                    std::uint64_t seed = 1)
      : random_(seed) {
    for (const std::string& name : backends) {
      plan.contenders.push_back(
          {{name, name}, plan.contenders.empty() ? Role::baseline : Role::compared});
    }
    plan.contenders.push_back({{backends[0] + "-again", backends[0]}, Role::same_again});
    for (const Cell& cell : loads) {
      PlannedLoad& load = plan.loads.emplace_back();
      load.cell = cell;
      load.processors = {{0}, {1}};
      load.seconds = 20;
      load.unavailable.resize(plan.contenders.size());
    }
    plan.allowed_processors = {0, 1};
    plan.command_line = {"muxlab", "bench"};
  }

  static Cell cell_of(std::uint64_t connections, std::uint64_t threads = 1) {
    Cell cell;
    cell.threads = threads;
    cell.threading = threads == 1 ? "single" : "reuseport";
    cell.connections = connections;
    return cell;
  }

  /// What a contender costs at a load, as a multiple of the baseline's.
  using Ratio = std::function<double(const Cell& load, const std::string& name)>;

  /// Measures all; blocks have a standard deviation of `deviation`, and a machine is `slow` times
  /// as slow as another.
  void measure(const Ratio& ratio, double deviation = 0.05, double slow = 1) {
    for (const PlannedLoad& load : plan.loads) {
      for (std::uint64_t rig = 0; rig < 8; ++rig) {
        for (const PlannedContender& one : plan.contenders) {
          const std::string& name = one.contender.name;
          const double cost = one.role == Role::compared ? ratio(load.cell, name) : 1;
          add(load, rig, name, one.role == Role::baseline, cost, deviation, slow);
        }
      }
    }
  }

  /// As `muxlab bench` leaves it.
  void write(const std::filesystem::path& folder,
             const std::function<void(nlohmann::ordered_json&)>& change = {}) const {
    std::filesystem::create_directories(folder);
    nlohmann::ordered_json record = new_machine_record(plan);
    record["run_status"] = "complete";
    record["started_utc"] = "2026-01-31T12:00:00Z";
    record["machine"] = {{"kernel_release", "6.1.0"},
                         {"cpu_model", "Simulated & <quoted> \"processor\""},
                         {"processors_online", 2},
                         {"build", {{"type", "Release"}, {"flags", ""}}}};
    if (change) change(record);
    write_machine_record(folder, record);
    write_records(folder, records);
  }

  SlicedPlan plan;
  std::vector<RigRecord> records;

 private:
  void add(const PlannedLoad& load, std::uint64_t rig, const std::string& name, bool is_baseline,
           double cost, double deviation, double slow) {
    RigRecord& record = records.emplace_back();
    record.cell = load.cell;
    record.cell.backend = name;
    record.placement = load.placement;
    record.baseline = plan.baseline();
    record.rig = rig;
    record.look = rig < 4 ? 0 : rig < 6 ? 1 : 2;
    record.seconds = 2;
    record.slices = 40;
    record.echoes = 1'000;
    record.bytes = 1'000 * load.cell.size_bytes;
    record.cpu_ns = static_cast<std::uint64_t>(5e6 * cost * slow * noise(0.01));
    record.calls = {100, 1'000, 1'000, 0, 0, 0};
    record.events = 1'000;
    record.elapsed_ns = static_cast<std::uint64_t>(5.1e6 * cost * slow);
    record.client_cpu_ns = 3'000'000;
    record.fairness = 0.9;
    record.resident_bytes = 4'000'000;
    record.grown_bytes = 2'048 * (load.cell.connections + load.cell.idle);
    record.kernel_bytes = 4'096 * (load.cell.connections + load.cell.idle);
    if (plan.time_calls) {
      record.call_ns = {100'000, 1'000'000, 2'000'000, 1'000, 0, 0};
      record.clock_ns = 50'000;
    }
    for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
      record.latency_ns[i] =
          static_cast<std::uint64_t>(1e5 * static_cast<double>(1 + i) * cost * slow);
    }
    if (load.cell.churn > 0) {
      record.opened = 100;
      record.first_echo_ns_p50 = 90'000;
      record.first_echo_ns_p99 = 190'000;
    }
    for (const Metric metric : kMetrics) {
      if (is_baseline || !load.compares(metric)) continue;
      std::vector<double> logs(40), at_s(40);
      for (std::size_t i = 0; i < logs.size(); ++i) {
        logs[i] = std::log(cost * noise(deviation));
        at_s[i] = 0.05 * static_cast<double>(i);
      }
      record.summaries[metric] = summarize(logs, at_s);
    }
  }

  double noise(double deviation) {
    return std::lognormal_distribution<double>(0, deviation)(random_);
  }

  std::mt19937_64 random_;
};

/// Folders of results below a temporary one.
class ResultFolderTest : public testing::Test {
 protected:
  using Path = std::filesystem::path;

  ResultFolderTest() {
    std::string name = testing::TempDir() + "results-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  /// Every file below `folder` but what a report is made from.
  static std::map<Path, std::string> made_in(const Path& folder) {
    std::map<Path, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (!entry.is_regular_file() || name == "records.csv" || name == "machine.json") continue;
      files[entry.path()] = read_whole(entry.path());
    }
    return files;
  }

  Path root_;
};

}  // namespace muxlab
