#include "backends/parts/control_group.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <sstream>
#include <string_view>
#include <vector>

#include "backends/parts/machine_text.hpp"

namespace muxlab {
namespace {

using machine::Path;
using Names = std::vector<std::string>;

Names split(std::string_view text, char separator) {
  Names parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

/// A mounted hierarchy, or the part of it below `top`.
struct Mount {
  Names controllers;  ///< of version 1; empty: version 2
  Names top;          ///< the group that is mounted, as /proc/self/cgroup would name it
  Path folder;
};

/// A line of /proc/self/cgroup: the group of this process in a hierarchy.
struct Membership {
  Names controllers;
  Names group;
};

/// A group that counts for this process: its folder, and whether it is of version 1.
struct Group {
  Path folder;
  bool is_v1;
};

/// mountinfo writes a blank as \040.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    const char* const begin = text.data() + i + 1;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(begin, begin + 3, code, 8).ptr == begin + 3) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// "31 30 0:28 / /sys/fs/cgroup/cpu rw,relatime shared:1 - cgroup cgroup rw,cpu": proc(5).
std::optional<Mount> mount_in(const std::string& line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string::npos) return std::nullopt;
  const Names before = split(line.substr(0, dash), ' ');
  const Names after = split(line.substr(dash + 3), ' ');
  if (before.size() < 5 || after.empty()) return std::nullopt;
  const bool is_v2 = after[0] == "cgroup2";
  if (!is_v2 && (after[0] != "cgroup" || after.size() < 3)) return std::nullopt;
  return Mount{.controllers = is_v2 ? Names() : split(after.back(), ','),
               .top = split(unescaped(before[3]), '/'),
               .folder = unescaped(before[4])};
}

std::vector<Mount> mounts_of(const Path& root) {
  std::vector<Mount> mounts;
  std::ifstream stream(root / "proc/self/mountinfo");
  for (std::string line; std::getline(stream, line);) {
    if (auto mount = mount_in(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

/// "4:memory:/a/b", and "0::/a/b" of version 2. Without the file: the root of version 2.
std::vector<Membership> memberships_of(const Path& root) {
  std::vector<Membership> all;
  std::ifstream stream(root / "proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    all.push_back({.controllers = split(line.substr(first + 1, second - first - 1), ','),
                   .group = split(line.substr(second + 1), '/')});
  }
  if (all.empty()) all.push_back({});
  return all;
}

/// Returns the usual mounts of a hierarchy, because mountinfo is missing.
std::vector<Mount> usual_mounts(const Membership& member) {
  const Path folder = "/sys/fs/cgroup";
  if (member.controllers.empty()) return {{.controllers = {}, .top = {}, .folder = folder}};
  std::vector<Mount> mounts;
  std::string together;
  for (const std::string& one : member.controllers) {
    together += (together.empty() ? "" : ",") + one;
    mounts.push_back({.controllers = member.controllers, .top = {}, .folder = folder / one});
  }
  if (member.controllers.size() > 1) {
    mounts.push_back({.controllers = member.controllers, .top = {}, .folder = folder / together});
  }
  return mounts;
}

bool is_of(const Mount& mount, const Membership& member) {
  if (member.controllers.empty() || mount.controllers.empty()) {
    return member.controllers.empty() && mount.controllers.empty();
  }
  return std::ranges::any_of(member.controllers, [&](const std::string& name) {
    return std::ranges::count(mount.controllers, name) > 0;
  });
}

/// Returns the path from the mounted group down to the group of the process; nothing if the mounted
/// part is elsewhere. In a group namespace both are relative to its root, and ".." leads out of it.
std::optional<Names> path_below(const Names& top, const Names& group) {
  const auto [top_end, rest] = std::ranges::mismatch(top, group);
  const bool is_outside = rest != group.end() && *rest == "..";
  if (top_end == top.end()) {
    return is_outside ? std::nullopt : std::optional(Names(rest, group.end()));
  }
  // A mount from further out: the names down to the root of the namespace are unknown.
  const bool leads_out = std::all_of(top_end, top.end(), [](auto& name) { return name == ".."; });
  return leads_out && !is_outside ? std::optional(Names()) : std::nullopt;
}

/// Returns the group of this process and its ancestors, of every hierarchy, as far as mounted.
std::vector<Group> groups_of(const Path& root) {
  std::vector<Group> groups;
  const std::vector<Mount> mounted = mounts_of(root);
  for (const Membership& member : memberships_of(root)) {
    for (const Mount& mount : mounted.empty() ? usual_mounts(member) : mounted) {
      const auto below = path_below(mount.top, member.group);
      if (!is_of(mount, member) || !below) continue;
      Path folder = root / mount.folder.relative_path();
      groups.push_back({folder, !mount.controllers.empty()});
      for (const std::string& name : *below) {
        groups.push_back({folder /= name, !mount.controllers.empty()});
      }
    }
  }
  return groups;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> integer_in(const Path& file) {
  return integer_of(machine::read_text(file).value_or(""));
}

/// Returns a size or count limit. Version 1 writes the largest number of pages, or -1, for none.
std::optional<std::uint64_t> group_limit_in(const Path& file) {
  constexpr std::int64_t kNone = std::int64_t{1} << 60;
  const auto limit = integer_in(file);
  if (!limit || *limit < 0 || *limit >= kNone) return std::nullopt;
  return static_cast<std::uint64_t>(*limit);
}

std::optional<std::int64_t> group_value_of(const Path& file, std::string_view key) {
  return integer_of(machine::value_in(file, key, ' ').value_or(""));
}

template <typename Value>
bool lower(std::optional<GroupLimit<Value>>& least, Value value, const Path& root,
           const Path& file) {
  if (least && least->value <= value) return false;
  least = GroupLimit<Value>{value, ("/" / file.lexically_relative(root)).string()};
  return true;
}

/// The quota of processor time and its period, both in microseconds.
struct Quota {
  std::int64_t us, period_us;
  Path file;
};

std::optional<Quota> quota_of(const Group& group) {
  const Path v1 = group.folder / "cpu.cfs_quota_us", v2 = group.folder / "cpu.max";
  const Names words = split(machine::read_text(v2).value_or(""), ' ');
  const auto quota = group.is_v1 ? integer_in(v1) : integer_of(words.empty() ? "" : words[0]);
  constexpr std::int64_t kUsual_us = 100'000;
  std::int64_t period_us = kUsual_us;
  if (group.is_v1) {
    period_us = integer_in(group.folder / "cpu.cfs_period_us").value_or(kUsual_us);
  } else if (words.size() == 2) {
    period_us = integer_of(words[1]).value_or(kUsual_us);
  }
  if (!quota || *quota <= 0 || period_us <= 0) return std::nullopt;
  return Quota{*quota, period_us, group.is_v1 ? v1 : v2};
}

/// Memory in use without the page cache, which the kernel can drop.
std::uint64_t memory_in_use(const Group& group) {
  const char* const usage = group.is_v1 ? "memory.usage_in_bytes" : "memory.current";
  const Path stat = group.folder / "memory.stat";
  std::int64_t used = integer_in(group.folder / usage).value_or(0);
  const std::string prefix = group.is_v1 ? "total_" : "";
  for (const char* const cache : {"inactive_file", "active_file"}) {
    used -= group_value_of(stat, prefix + cache).value_or(0);
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(used, 0));
}

void add_memory(ControlGroupLimits& limits, const Group& group, const Path& root) {
  const auto consider = [&](std::optional<std::uint64_t> limit, const char* name) {
    if (!limit) return;
    const std::uint64_t used = memory_in_use(group);
    lower(limits.memory_bytes, *limit, root, group.folder / name);
    lower(limits.memory_left_bytes, *limit - std::min(*limit, used), root, group.folder / name);
  };
  if (!group.is_v1) {
    for (const char* const name : {"memory.max", "memory.high"}) {
      consider(group_limit_in(group.folder / name), name);
    }
    return;
  }
  consider(group_limit_in(group.folder / "memory.limit_in_bytes"), "memory.limit_in_bytes");
  // This includes ancestors that are not mounted here.
  constexpr std::int64_t kNone = std::int64_t{1} << 60;
  const auto least = group_value_of(group.folder / "memory.stat", "hierarchical_memory_limit");
  if (least && *least >= 0 && *least < kNone) {
    consider(static_cast<std::uint64_t>(*least), "memory.stat");
  }
}

}  // namespace

ControlGroupLimits control_group_limits(const Path& root) {
  ControlGroupLimits limits;
  for (const Group& group : groups_of(root)) {
    if (const auto quota = quota_of(group)) {
      const double processors =
          static_cast<double>(quota->us) / static_cast<double>(quota->period_us);
      if (lower(limits.processors, processors, root, quota->file)) {
        limits.cpu_quota = std::to_string(quota->us) + ' ' + std::to_string(quota->period_us);
      }
    }
    add_memory(limits, group, root);
    const Path pids = group.folder / "pids.max";
    if (const auto tasks = group_limit_in(pids)) lower(limits.tasks, *tasks, root, pids);
  }
  return limits;
}

std::optional<Throttling> control_group_throttling(const Path& root) {
  std::optional<Throttling> most;
  for (const Group& group : groups_of(root)) {
    const Path stat = group.folder / "cpu.stat";
    const auto periods = group_value_of(stat, "nr_throttled");
    const auto us = group_value_of(stat, "throttled_usec"),
               ns = group_value_of(stat, "throttled_time");
    if (!periods || (!us && !ns)) continue;
    const Throttling here{static_cast<std::uint64_t>(*periods),
                          static_cast<std::uint64_t>(us ? *us : *ns / 1000)};
    if (!most || here.us > most->us) most = here;
  }
  return most;
}

}  // namespace muxlab
