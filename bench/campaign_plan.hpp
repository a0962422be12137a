#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/campaign.hpp"
#include "bench/campaign_backends.hpp"

namespace muxlab {

/// What the command line asks for; what it leaves open, the experiment's profile decides.
struct CampaignRequest {
  /// Time for each load; the rounds follow from it, and with much of it grid and windows are
  /// larger.
  std::optional<std::chrono::nanoseconds> load_time;
  bool unix_sockets = false;
  bool time_calls = false;
  std::vector<std::string> backends;
  std::optional<std::vector<std::string>> threading, engines;
  std::optional<std::vector<std::uint64_t>> threads, connections, idle, size_bytes, rate_per_s,
      churn;
  std::optional<std::uint64_t> depth, rounds, seed;
  std::optional<std::chrono::nanoseconds> warmup, window;
  std::optional<std::filesystem::path> folder;
  std::vector<std::string> command_line;
};

/// Settles everything: grid, order, folder (by default muxlab-results/EXPERIMENT-TIME) and a seed
/// when none is asked for. Throws Failure: usage for what makes no sense, unavailable for a backend
/// that does not work here.
CampaignPlan plan_campaign(const Experiment& experiment, const CampaignRequest& request,
                           std::span<const BackendInfo> known);

/// `grid` with what the request says instead, on the backends `chosen`. Throws Failure (usage) for
/// what makes no sense.
Grid settle_grid(Grid grid, const CampaignRequest& request, std::span<const BackendInfo> chosen);

/// Every cell of `grid`, and at a few of its points the rows that check the `instrument`; `known`
/// has all the backends that these name. Throws Failure (usage) for one that it has not.
std::vector<PlannedCell> plan_cells(const Grid& grid, const std::vector<std::string>& instrument,
                                    std::span<const BackendInfo> known);

/// The plan for people: `--dry-run` prints it and runs nothing.
std::string describe(const CampaignPlan& plan);

}  // namespace muxlab
