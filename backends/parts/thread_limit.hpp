#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace muxlab {

/// How many threads a process can have at most, and what says so.
struct ThreadLimit {
  std::uint64_t threads;
  std::string reason;  ///< "kernel.pid_max is 32768"
};

/// The lowest of the limits that the kernel, this user and the control group set; all but
/// vm.max_map_count count the threads of other processes too, so there may be room for fewer. Reads
/// below `root`, as machine_card() does; what cannot be read is no limit. proc(5), getrlimit(2).
ThreadLimit thread_limit(const std::filesystem::path& root = "/");

}  // namespace muxlab
