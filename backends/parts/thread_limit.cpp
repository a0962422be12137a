#include "backends/parts/thread_limit.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <limits>

#include "backends/parts/control_group.hpp"

namespace muxlab {
namespace {

constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

std::uint64_t limit_in(const std::filesystem::path& file) {
  std::uint64_t limit = 0;
  return std::ifstream(file) >> limit ? limit : kNone;
}

/// The kernel's own root has no limit; root of a user namespace is another user outside.
bool is_root() {
  std::uint64_t inside = 1, outside = 1;
  std::ifstream("/proc/self/uid_map") >> inside >> outside;
  return ::geteuid() == 0 && inside == 0 && outside == 0;
}

std::uint64_t limit_of_user() {
  rlimit limit{};
  if (is_root() || ::getrlimit(RLIMIT_NPROC, &limit) != 0) return kNone;
  return limit.rlim_cur == RLIM_INFINITY ? kNone : limit.rlim_cur;
}

}  // namespace

ThreadLimit thread_limit(const std::filesystem::path& root) {
  ThreadLimit lowest{.threads = kNone, .reason = {}};
  const auto consider = [&](std::string_view name, std::uint64_t limit, std::uint64_t threads) {
    if (threads < lowest.threads) lowest = {threads, fmt::format("{} is {}", name, limit)};
  };
  const auto consider_file = [&](std::string_view name, const std::filesystem::path& file) {
    const std::uint64_t limit = limit_in(root / file);
    consider(name, limit, limit);
  };
  consider_file("kernel.threads-max", "proc/sys/kernel/threads-max");
  consider_file("kernel.pid_max", "proc/sys/kernel/pid_max");
  if (const auto tasks = control_group_limits(root).tasks) {
    consider("pids.max of the control group", tasks->value, tasks->value);
  }
  consider("ulimit -u", limit_of_user(), limit_of_user());

  // A stack and its guard page are a mapping each; some are the program's own.
  constexpr std::uint64_t kOwnMappings = 512;
  const std::uint64_t mappings = limit_in(root / "proc/sys/vm/max_map_count");
  if (mappings != kNone) {
    const std::uint64_t for_stacks = mappings > kOwnMappings ? mappings - kOwnMappings : 0;
    consider("vm.max_map_count", mappings, for_stacks / 2);
  }
  return lowest;
}

}  // namespace muxlab
