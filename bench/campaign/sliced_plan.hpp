#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "bench/campaign/backends.hpp"
#include "bench/data/plan.hpp"

namespace muxlab {

/// What the others are compared with unless the user wants otherwise, and its control: the same
/// with one more system call per echo.
inline constexpr std::string_view kBaseline = "epoll-lt";
inline constexpr std::string_view kOneCallMore = "epoll-lt-extra-call";

/// Up to so many connections the wake-up from one processor to the other is most of the noise, so
/// that both sides share one unless the user wants otherwise.
inline constexpr std::uint64_t kMostToShare = 16;

/// What the command line asks for; nothing where it does not say.
struct SlicedRequest {
  const Experiment* experiment = nullptr;  ///< whose loads and backends are those not asked for
  std::vector<std::string> backends;
  std::optional<std::vector<std::string>> threading, engines;
  std::optional<std::vector<std::uint64_t>> threads, connections, idle, size_bytes, rate_per_s,
      churn;
  std::optional<std::uint64_t> depth, seed;
  bool unix_sockets = false, time_calls = false, is_isolated = false;
  std::optional<double> for_s;  ///< for each load
  std::optional<double> precision;
  double same_within = 0.05;
  std::string placement = "auto";
  std::string baseline{kBaseline};
  std::optional<std::filesystem::path> folder;
  std::vector<std::string> command_line;
};

/// Throws Failure: usage for what makes no sense, unavailable for what this machine lacks.
SlicedPlan plan_slices(const SlicedRequest& request, std::span<const BackendInfo> known);

/// Throws Failure (unavailable) where the connections of a load, to all servers at once, do not fit
/// this machine. Raises the soft limit of descriptors.
void check_fit(const SlicedPlan& plan);

/// What would be run, for people.
std::string describe(const SlicedPlan& plan);

/// The plan of an interrupted campaign. Throws Failure (usage) when it is complete, or was begun by
/// another build or on another machine.
SlicedPlan sliced_plan_to_resume(const std::filesystem::path& folder);

}  // namespace muxlab
