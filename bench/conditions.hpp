#pragma once

#include <filesystem>
#include <optional>
#include <span>

namespace muxlab {

/// Seconds that some processors were busy or taken by the host, since the machine was started:
/// proc_stat(5), which counts in ticks. Nothing where the kernel does not tell.
struct Conditions {
  std::optional<double> busy_s;
  std::optional<double> stolen_s;
};

/// Reads them for `processors`, or for all when empty, below `root`.
Conditions read_conditions(std::span<const int> processors, const std::filesystem::path& root);

}  // namespace muxlab
