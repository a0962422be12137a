#pragma once

#include <sys/types.h>

#include <vector>

/// What /proc/self/task says of threads; proc(5).
namespace muxlab::trace {

/// The threads of this process; those that the kernel runs for it too.
std::vector<pid_t> threads_of_process();

/// One that io_uring runs in this process.
bool is_kernel_thread(pid_t thread);

/// Whether it sleeps until something wakes it. One that goes to sleep at this moment, or is stopped
/// by a debugger, does not sleep.
bool is_asleep(pid_t thread);

}  // namespace muxlab::trace
