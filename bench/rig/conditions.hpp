#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace muxlab {

/// Seconds that some processors were busy or taken by the host, since the machine was started:
/// proc_stat(5), which counts in ticks. And for how long, in how many periods, the quota of our
/// control group or of an ancestor stopped this process and its children. Nothing where the kernel
/// does not tell.
struct Conditions {
  std::optional<double> busy_s;
  std::optional<double> stolen_s;
  std::optional<double> throttled_s;
  std::optional<std::uint64_t> throttled_periods;
};

/// Reads them for `processors`, or for all when empty, below `root`.
Conditions read_conditions(std::span<const int> processors, const std::filesystem::path& root);

/// How long the quota of processor time stopped a measurement, as one line with the cure; empty
/// when it did not.
std::string throttling_words(const Conditions& before, const Conditions& after);

}  // namespace muxlab
