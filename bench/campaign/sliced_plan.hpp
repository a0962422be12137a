#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "bench/campaign_backends.hpp"
#include "bench/campaign_plan.hpp"
#include "bench/data/plan.hpp"

namespace muxlab {

/// Up to so many connections the wake-up from one processor to the other is most of the noise, so
/// that both sides share one unless the user wants otherwise.
inline constexpr std::uint64_t kMostToShare = 16;

/// What the command line asks for; nothing where it does not say.
struct SlicedRequest {
  CampaignRequest grid;  ///< backends, loads, seed, folder, command line
  std::optional<double> for_s;
  std::optional<double> precision;
  double same_within = 0.05;
  std::string placement = "auto";
  std::string baseline = "epoll-lt";
};

/// Throws Failure: usage for what makes no sense, unavailable for what this machine lacks.
SlicedPlan plan_slices(const SlicedRequest& request, std::span<const BackendInfo> known);

/// What would be run, for people.
std::string describe(const SlicedPlan& plan);

/// The plan of an interrupted campaign. Throws Failure (usage) when it is complete, or was begun by
/// another build or on another machine.
SlicedPlan sliced_plan_to_resume(const std::filesystem::path& folder);

}  // namespace muxlab
