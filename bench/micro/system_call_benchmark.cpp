#include <benchmark/benchmark.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace {

/// The way into the kernel and back, and nothing else: no mechanism is below that per call. On a
/// virtual machine it also tells how fast the host lets it be at the moment.
void null_system_call(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(::syscall(SYS_getppid));
}
BENCHMARK(null_system_call);

/// What the client pays to time an echo, twice.
void read_the_clock(benchmark::State& state) {
  timespec now{};
  for (auto _ : state) {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    benchmark::DoNotOptimize(now);
  }
}
BENCHMARK(read_the_clock);

}  // namespace
