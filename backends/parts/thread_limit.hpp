#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace muxlab {

/// The most threads that a process can have, and the limit that determines it.
struct ThreadLimit {
  std::uint64_t threads;
  std::string reason;  ///< "kernel.pid_max is 32768"
};

/// Returns the lowest limit that the kernel, this user and the control group set. All except
/// vm.max_map_count count the threads of other processes too, so there may be room for fewer. Reads
/// below `root`, as machine_card() does; an unreadable limit is none. proc(5), getrlimit(2).
ThreadLimit thread_limit(const std::filesystem::path& root = "/");

}  // namespace muxlab
