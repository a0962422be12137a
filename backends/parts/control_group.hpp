#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace muxlab {

/// A limit, and the file that sets it: "cpu.max" of "/sys/fs/cgroup/work".
template <typename Value>
struct GroupLimit {
  Value value{};
  std::string file;

  bool operator==(const GroupLimit&) const = default;
};

/// The lowest limits that the control group of this process and its ancestors set. Empty: no limit,
/// or none that is visible from here.
struct ControlGroupLimits {
  std::optional<GroupLimit<double>> processors;  ///< quota by period, such as 0.5
  std::optional<GroupLimit<std::uint64_t>> memory_bytes;
  /// The limit minus the memory in use; page cache counts as free.
  std::optional<GroupLimit<std::uint64_t>> memory_left_bytes;
  std::optional<GroupLimit<std::uint64_t>> tasks;  ///< threads of all its processes together
  std::string cpu_quota;  ///< as the file has it, "50000 100000"; empty: none
};

/// How often and how long the CPU quota stopped the group or an ancestor since the group was made.
/// Of these groups, it describes the one that was stopped longest.
struct Throttling {
  std::uint64_t periods = 0;
  std::uint64_t us = 0;  ///< summed over processors
};

/// Read /proc/self/cgroup, /proc/self/mountinfo and the groups' files below `root`, of versions 1
/// and 2 of control groups (cgroups(7)). Without mountinfo they assume the usual mounts. If the
/// group itself lies outside the mounted part, its ancestors in that part count. Never fail.
ControlGroupLimits control_group_limits(const std::filesystem::path& root = "/");
std::optional<Throttling> control_group_throttling(const std::filesystem::path& root = "/");

}  // namespace muxlab
