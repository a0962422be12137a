#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace muxlab {

/// Threads that the kernel runs in this process for io_uring: the one that polls a ring for
/// submissions, and those that do what would have to wait. Their time is the process's, and no
/// thread's of ours.
inline constexpr std::array<std::string_view, 2> kKernelThreadNames = {"iou-sqp", "iou-wrk"};

/// The CPU time of those that there are now, by kind, from /proc (the first field of schedstat). Of
/// those that are gone only the time of the process tells. Nothing in a process of so many threads
/// that asking would disturb it, or where the kernel does not tell.
std::optional<std::array<std::uint64_t, kKernelThreadNames.size()>> kernel_threads_cpu_ns();

}  // namespace muxlab
