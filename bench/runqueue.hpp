#pragma once

#include <sys/types.h>

#include <optional>

namespace muxlab {

/// How long the threads of `pid`, as they are now, were ready to run without a processor since each
/// began: ns, from the second field of /proc/PID/task/TID/schedstat. Nothing for a process of so
/// many threads that asking would disturb it, or where the kernel does not tell.
std::optional<double> runqueue_wait_ns(pid_t pid);

}  // namespace muxlab
