#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "backends/parts/failure.hpp"
#include "backends/parts/notify.hpp"
#include "bench/load/histogram.hpp"
#include "server/hand_off_queue.hpp"

namespace {

using muxlab::checked;
using muxlab::UniqueFd;

void take_notification(int fd) {
  std::array<char, 64> bytes;
  benchmark::DoNotOptimize(::read(fd, bytes.data(), bytes.size()));
}

/// Measures one wake-up: the acceptor's write(2) and the worker's read(2).
void notify_by_eventfd(benchmark::State& state) {
  const UniqueFd fd(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
  for (auto _ : state) {
    muxlab::notify(fd.get());
    take_notification(fd.get());
  }
}
BENCHMARK(notify_by_eventfd);

void notify_by_pipe(benchmark::State& state) {
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), "pipe2");
  const UniqueFd receiver(ends[0]);
  const UniqueFd sender(ends[1]);
  for (auto _ : state) {
    muxlab::notify(sender.get());
    take_notification(receiver.get());
  }
}
BENCHMARK(notify_by_pipe);

/// Measures the server's queue, per connection. The queue notifies only if it was empty, so longer
/// bursts need fewer system calls per connection.
void hand_off(benchmark::State& state, muxlab::Notify notify) {
  const auto burst = static_cast<std::size_t>(state.range(0));
  muxlab::Admission admission(burst, INT32_MAX, muxlab::WhenFull::wait);
  muxlab::HandOffQueue queue(notify, admission);
  std::vector<UniqueFd> connections;
  for (std::size_t i = 0; i < burst; ++i) {
    connections.emplace_back(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"));
  }
  while (state.KeepRunningBatch(state.range(0))) {
    for (UniqueFd& connection : connections) queue.push(std::move(connection));
    for (UniqueFd& connection : connections) connection = std::move(*queue.take());
    benchmark::DoNotOptimize(queue.take());  // the worker continues until the queue is empty
  }
}
BENCHMARK_CAPTURE(hand_off, eventfd, muxlab::Notify::eventfd)
    ->ArgName("burst")
    ->RangeMultiplier(8)
    ->Range(1, 64);
BENCHMARK_CAPTURE(hand_off, pipe, muxlab::Notify::pipe)
    ->ArgName("burst")
    ->RangeMultiplier(8)
    ->Range(1, 64);

/// Returns typical latencies: most near one value, some far above.
std::array<std::uint64_t, 1024> typical_latencies_ns() {
  std::array<std::uint64_t, 1024> values{};
  std::uint64_t state = 88'172'645'463'325'252;
  for (std::uint64_t& value : values) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    value = 20'000 + state % 10'000 + (state >> 32) % 64 / 63 * 1'000'000;
  }
  return values;
}

void histogram_record(benchmark::State& state) {
  const auto values = typical_latencies_ns();
  muxlab::Histogram histogram;
  std::size_t next = 0;
  for (auto _ : state) {
    histogram.record(values[next++ % values.size()]);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(histogram_record);

void histogram_percentile(benchmark::State& state) {
  muxlab::Histogram histogram;
  for (const std::uint64_t value : typical_latencies_ns()) histogram.record(value);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.value_at_percentile(99));
}
BENCHMARK(histogram_percentile);

/// Measures the way into the kernel and back, which is the lower bound of every call. On a virtual
/// machine it also shows the speed that the host grants at the moment.
void null_system_call(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(::syscall(SYS_getppid));
}
BENCHMARK(null_system_call);

/// Measures a clock reading, which the client needs to time an echo.
void read_the_clock(benchmark::State& state) {
  timespec now{};
  for (auto _ : state) {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    benchmark::DoNotOptimize(now);
  }
}
BENCHMARK(read_the_clock);

}  // namespace
