#pragma once

#include <benchmark/benchmark.h>

#include <span>

#include "bench/micro/mechanism.hpp"
#include "bench/micro/socket_pairs.hpp"

namespace muxlab {

/// Both register what only the machine can tell: a benchmark per mechanism that it has. The caller
/// keeps the arguments alive until all have run.
///
/// wait/NAME/registered:N/active:A: one turn in which A of N descriptors become ready, wherever
/// they are; in processor time of the thread.
void register_wait_benchmarks(std::span<const Mechanism> mechanisms, SocketPairs& pairs);
/// add_and_remove/NAME/registered:N and modify_and_back/NAME: to change what is waited for.
void register_change_benchmarks(std::span<const Mechanism> mechanisms, SocketPairs& pairs);

/// False, and `state` says why, where `mechanism` cannot take the descriptors of `pairs`.
bool can_wait_for(const Mechanism& mechanism, std::span<const SocketPair> pairs,
                  benchmark::State& state);

}  // namespace muxlab
