#include <benchmark/benchmark.h>

#include <array>

#include "bench/load/histogram.hpp"

namespace {

/// Latencies as a run sees them: most near one value, some far above.
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

}  // namespace
