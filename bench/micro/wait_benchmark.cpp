#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <ctime>
#include <stdexcept>

#include "bench/micro/micro.hpp"

namespace muxlab {
namespace {

/// As many turns between two looks at the clock of this thread, one of which costs as much as a
/// cheap wait.
constexpr benchmark::IterationCount kTurnsPerLook = 16;

/// The processor time of this thread. A wait for thousands may take longer than the scheduler lets
/// a thread run, so that time by the wall would have in it what others did meanwhile.
double thread_cpu_s() {
  timespec now{};
  checked(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), "clock_gettime");
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void send_byte(int fd) {
  if (::send(fd, "x", 1, MSG_NOSIGNAL) != 1) throw_errno("send");
}

/// A byte to each of `active` pairs that lie as far apart as they can, and then waits until all
/// have come. Each turn begins one pair further, so that every descriptor gets its turn. The number
/// of waits.
std::size_t turn(Waiter& waiter, std::span<const SocketPair> pairs, std::size_t active,
                 std::size_t offset) {
  const std::size_t stride = pairs.size() / active;
  for (std::size_t i = 0; i < active; ++i) {
    const SocketPair& pair = pairs[(offset + i * stride) % pairs.size()];
    send_byte(pair.far.get());
    waiter.tell(pair.near.get());
  }
  std::size_t waits = 0;
  for (std::size_t taken = 0; taken < active; ++waits) taken += waiter.take_ready();
  return waits;
}

/// One turn of a loop, reading and writing included: what the oracle takes for the same, which
/// knows what is ready, is to be subtracted for the price of waiting alone.
void wait_for_some_of_many(benchmark::State& state, const Mechanism& mechanism, SocketPairs& all) {
  const auto active = static_cast<std::size_t>(state.range(1));
  const auto pairs = all.first(static_cast<std::size_t>(state.range(0)));
  if (!can_wait_for(mechanism, pairs, state)) return;
  const auto waiter = mechanism.make();
  for (const SocketPair& pair : pairs) waiter->add(pair.near.get());
  std::size_t turns = 0;
  std::size_t waits = 0;
  turn(*waiter, pairs, active, turns);
  while (state.KeepRunningBatch(kTurnsPerLook)) {
    const double begin_s = thread_cpu_s();
    for (benchmark::IterationCount i = 0; i < kTurnsPerLook; ++i) {
      waits += turn(*waiter, pairs, active, ++turns);
    }
    state.SetIterationTime(thread_cpu_s() - begin_s);
  }
  state.counters["ready_per_wait"] =
      static_cast<double>(turns * active) / static_cast<double>(waits);
}

}  // namespace

bool can_wait_for(const Mechanism& mechanism, std::span<const SocketPair> pairs,
                  benchmark::State& state) {
  if (pairs.empty() || pairs.back().near.get() <= mechanism.max_descriptor) return true;
  state.SkipWithError(fmt::format("{} cannot wait for descriptors above {}", mechanism.name,
                                  mechanism.max_descriptor)
                          .c_str());
  return false;
}

void register_wait_benchmarks(std::span<const Mechanism> mechanisms, SocketPairs& pairs) {
  for (const Mechanism& mechanism : mechanisms) {
    auto* const registered = benchmark::RegisterBenchmark(
        fmt::format("wait/{}", mechanism.name).c_str(),
        [&](benchmark::State& state) { wait_for_some_of_many(state, mechanism, pairs); });
    registered->ArgNames({"registered", "active"})->UseManualTime();
    for (const std::int64_t count : {1, 10, 100, 1000, 9000}) registered->Args({count, 1});
    for (const std::int64_t active : {10, 100, 1000}) registered->Args({1000, active});
  }
}

}  // namespace muxlab
