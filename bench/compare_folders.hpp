#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/compare_change.hpp"

namespace muxlab {

/// A folder that `muxlab bench` wrote, as far as it takes to compare it.
struct ResultFolder {
  std::string path;
  nlohmann::ordered_json record;  ///< machine.json
  std::vector<TrialRow> trials;
};

/// Two of them, and what became of the first in the second.
struct FolderComparison {
  ResultFolder before;
  ResultFolder after;
  double threshold = 0;
  Changes found;
  std::vector<std::string> cautions;  ///< what else may be behind a change; one line each

  [[nodiscard]] std::size_t count(ChangeVerdict verdict) const;
};

/// Throws Failure (usage) when a folder cannot be read, or when nothing can be compared: no point
/// that both have measured seven times, or TCP in one and unix sockets in the other.
FolderComparison compare_folders(const std::filesystem::path& before,
                                 const std::filesystem::path& after, double threshold);

}  // namespace muxlab
