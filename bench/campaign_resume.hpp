#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "bench/campaign.hpp"
#include "bench/campaign_backends.hpp"

namespace muxlab {

/// Why a campaign that was begun on the machine of that card cannot go on here: results of two
/// machines, or of two kernels, do not mix. Empty where it can.
std::string why_another_machine(const nlohmann::ordered_json& before);

/// The plan of an interrupted campaign, as its machine.json has it: the same cells in the same
/// order, into the same folder. Throws Failure (usage) when the folder holds none, when it is
/// complete, or when this is not the machine that it was begun on.
CampaignPlan plan_to_resume(const std::filesystem::path& folder,
                            std::span<const BackendInfo> known);

}  // namespace muxlab
