#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "bench/campaign_files.hpp"
#include "bench/csv.hpp"
#include "bench/process.hpp"
#include "bench/trial_row.hpp"

namespace muxlab {

/// How a program that was run ended, and what it said.
struct Said {
  int exit_code;
  std::string output;
  std::string errors;
};

inline Said run_muxlab(const std::vector<std::string>& words) {
  Command command{{MUXLAB_BINARY}, {}, {}};
  command.words.insert(command.words.end(), words.begin(), words.end());
  Process process(command);
  const auto ended = [&] { return process.exit_code().has_value(); };
  wait_for({&process}, -1, Clock::now() + std::chrono::seconds(120), ended);
  return {process.exit_code().value_or(-1), process.output().text(), process.last_words()};
}

/// Folders of results that no machine has measured, below a temporary one.
class ResultFolderTest : public testing::Test {
 protected:
  using Path = std::filesystem::path;

  ResultFolderTest() {
    std::string name = testing::TempDir() + "results-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  /// Three backends at 1 and 2 threads and 100 and 1,000 connections, each `rounds` times; `change`
  /// may alter each row.
  static std::vector<TrialRow> simulate(
      std::uint64_t rounds, std::uint64_t seed,
      const std::function<void(TrialRow&)>& change = [](TrialRow&) {}) {
    std::mt19937_64 random(seed);
    std::lognormal_distribution<double> noise(0, 0.01);
    std::vector<TrialRow> rows;
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      std::uint64_t order = 0;
      for (const std::uint64_t threads : {1U, 2U}) {
        for (const std::uint64_t connections : {100U, 1000U}) {
          for (const char* backend : {"select", "epoll-lt", "bufferevent"}) {
            TrialRow row;
            row.round = round;
            row.order = ++order;
            row.experiment = "throughput";
            row.cell.backend = backend;
            row.cell.threading = threads == 1 ? "single" : "reuseport";
            row.cell.threads = threads;
            row.cell.connections = connections;
            for (std::size_t i = 0; i < kMetricNames.size(); ++i) {
              row.outcome.metrics[Metric{i}] = 1000 * noise(random);
            }
            for (const Metric rare : {Metric::cpu_rest_ns_per_echo, Metric::connections_per_s,
                                      Metric::first_echo_ns_p99}) {
              row.outcome.metrics[rare] = std::nan("");
            }
            row.outcome.metrics[Metric::client_cpu_util] = 0.7;
            row.outcome.metrics[Metric::server_cpu_util] = 0.99;
            row.outcome.metrics[Metric::server_runqueue_wait_share] = 0.001;
            change(row);
            rows.push_back(std::move(row));
          }
        }
      }
    }
    return rows;
  }

  static nlohmann::ordered_json record() {
    return {{"schema_version", 1},
            {"run_status", "complete"},
            {"experiment", "throughput"},
            {"profile", "full"},
            {"command_line", {"muxlab", "bench", "throughput"}},
            {"started_utc", "2026-01-31T12:00:00Z"},
            {"ended_utc", "2026-01-31T12:10:00Z"},
            {"seed", 7},
            {"rounds", 7},
            {"cells", 12},
            {"warmup_ns", 100'000'000},
            {"window_ns", 500'000'000},
            {"size_bytes", 64},
            {"depth", 1},
            {"transport", "tcp"},
            {"grid",
             {{"backends", {"select", "epoll-lt", "bufferevent"}},
              {"threads", {1, 2}},
              {"connections", {100, 1000}},
              {"idle", {0}},
              {"threading", nullptr}}},
            {"machine",
             {{"kernel_release", "6.1.0"},
              {"cpu_model", "Simulated & <quoted> \"processor\""},
              {"processors_online", 2},
              {"tcp_congestion_control", "cubic"}}}};
  }

  /// Writes such a folder and returns its path.
  [[nodiscard]] Path folder(const std::string& name, const std::vector<TrialRow>& rows,
                            const nlohmann::ordered_json& about = record()) const {
    const Path path = root_ / name;
    std::filesystem::create_directory(path);
    std::string text = csv_record(trial_header());
    for (const TrialRow& row : rows) text += csv_record(trial_record(row));
    write_whole(path / "trials.csv", text);
    write_whole(path / "machine.json", about.dump(2));
    return path;
  }

  Path root_;
};

}  // namespace muxlab
