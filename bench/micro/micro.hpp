#pragma once

#include <benchmark/benchmark.h>

#include <ctime>

#include "backends/parts/failure.hpp"

namespace muxlab {

/// Registers what only the machine can tell: benchmarks of each mechanism that it has.
///
/// wait/NAME/registered:N/active:A: one turn in which A of N descriptors become ready, wherever
/// they are; in processor time of the thread.
/// add_and_remove/NAME/registered:N and modify_and_back/NAME: to change what is waited for.
void register_mechanism_benchmarks();

/// The processor time of this thread. A wait for thousands may take longer than the scheduler lets
/// a thread run, so that time by the wall would have in it what others did meanwhile.
inline double thread_cpu_s() {
  timespec now{};
  checked(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), "clock_gettime");
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace muxlab
