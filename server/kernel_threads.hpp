#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace muxlab {

/// Names the threads that the kernel runs in this process for io_uring: one polls a ring for
/// submissions, the others run requests that would block. The process is charged for their CPU
/// time, but no thread of muxlab is.
inline constexpr std::array<std::string_view, 2> kKernelThreadNames = {"iou-sqp", "iou-wrk"};

/// Returns the CPU time in ns, by kind, of those that run now (/proc, first field of schedstat).
/// Ended threads count only in the time of the process. Returns nothing when there are so many
/// threads that reading would disturb the process, or when schedstat is not readable.
std::optional<std::array<std::uint64_t, kKernelThreadNames.size()>> kernel_threads_cpu_ns();

}  // namespace muxlab
