#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/micro/micro.hpp"

namespace muxlab {
namespace {

/// A connection comes and goes among `registered` silent ones.
void add_and_remove(benchmark::State& state, const Mechanism& mechanism, SocketPairs& all) {
  const auto pairs = all.first(static_cast<std::size_t>(state.range(0)) + 1);
  if (!can_wait_for(mechanism, pairs, state)) return;
  const auto waiter = mechanism.make();
  for (const SocketPair& pair : pairs.subspan(1)) waiter->add(pair.near.get());
  const int fd = pairs.front().near.get();
  for (auto _ : state) {
    waiter->add(fd);
    waiter->remove(fd);
  }
}

/// A connection has something to send that finds no room at first: it waits for room, has it, and
/// waits for something to read again. With the wait, because io_uring and libevent put off the
/// change until then.
void modify_and_back(benchmark::State& state, const Mechanism& mechanism, SocketPairs& all) {
  const auto pairs = all.first(1);
  const auto waiter = mechanism.make();
  const int fd = pairs.front().near.get();
  waiter->add(fd);
  for (auto _ : state) {
    waiter->modify(fd, Interest::write);
    benchmark::DoNotOptimize(waiter->take_ready());
    waiter->modify(fd, Interest::read);
  }
}

}  // namespace

void register_change_benchmarks(std::span<const Mechanism> mechanisms, SocketPairs& pairs) {
  for (const Mechanism& mechanism : mechanisms) {
    if (mechanism.name == "oracle") continue;
    benchmark::RegisterBenchmark(
        fmt::format("add_and_remove/{}", mechanism.name).c_str(),
        [&](benchmark::State& state) { add_and_remove(state, mechanism, pairs); })
        ->ArgNames({"registered"})
        ->Arg(0)
        ->Arg(1000);
    benchmark::RegisterBenchmark(
        fmt::format("modify_and_back/{}", mechanism.name).c_str(),
        [&](benchmark::State& state) { modify_and_back(state, mechanism, pairs); });
  }
}

}  // namespace muxlab
