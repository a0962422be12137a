#pragma once

#include <benchmark/benchmark.h>

#include <ctime>

#include "backends/parts/failure.hpp"

namespace muxlab {

/// Registers the benchmarks of each mechanism that works on this machine.
///
/// wait/NAME/registered:N/active:A: one turn in which A of N descriptors become ready, spread over
/// all of them; in processor time of the thread.
/// add_and_remove/NAME/registered:N and modify_and_back/NAME: changes of the interest.
void register_mechanism_benchmarks();

/// Returns the processor time of this thread, in seconds. A wait for thousands of descriptors may
/// exceed the thread's time slice, so wall time would include the work of other threads.
inline double thread_cpu_s() {
  timespec now{};
  checked(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), "clock_gettime");
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace muxlab
