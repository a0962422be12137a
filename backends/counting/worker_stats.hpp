#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "backends/counting/call_observer.hpp"

namespace muxlab {

/// A number that one thread adds to and any thread may read. Adding is a plain addition, without a
/// locked instruction.
class Counter {
 public:
  void add(std::uint64_t n) { value_.store(get() + n, std::memory_order_relaxed); }
  void take_back(std::uint64_t n) { add(0 - n); }
  Counter& operator++() {
    add(1);
    return *this;
  }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

class CounterPool;

inline constexpr std::array<std::string_view, 6> kCallNames = {"wait", "read",   "write",
                                                               "ctl",  "accept", "other"};

/// Counters of one thread. Written by that thread alone, on cache lines of its own.
///
/// Other threads that work for this one have a part each. total() includes the parts.
struct alignas(64) WorkerStats {
  WorkerStats() = default;
  WorkerStats(const WorkerStats&) = delete;
  WorkerStats& operator=(const WorkerStats&) = delete;
  ~WorkerStats();

  Counter accepted;                              ///< connections this thread began to serve
  Counter closed;                                ///< accepted connections that are closed
  Counter refused;                               ///< connections accepted and closed at once
  Counter echoes;                                ///< receives of which every byte was sent back
  Counter bytes_in;                              ///< bytes received
  Counter bytes_out;                             ///< bytes sent back
  std::array<Counter, kCallNames.size()> calls;  ///< system calls by kind, indexed by Call
  Counter events;  ///< descriptors and completions that waiting calls reported
  std::array<Counter, kCallNames.size()> call_ns;  ///< time in those calls; zero unless timed
  Counter clock_ns;  ///< time spent reading the clocks, not in call_ns

  /// Set before the thread begins: what to observe of its calls; null: nothing.
  const CallObserver* observer = nullptr;
  CounterPool* pool = nullptr;      ///< shared memory, which owns its parts too; null: the heap
  bool sleeps_in_any_call = false;  ///< true with blocking calls; else only waiting calls sleep

  [[nodiscard]] bool is_timed() const { return observer != nullptr && observer->clocks; }
  Counter& operator[](Call call) { return calls[static_cast<std::size_t>(call)]; }
  const Counter& operator[](Call call) const { return calls[static_cast<std::size_t>(call)]; }

  /// Adds a part with the same observer, which lives as long as this and is never reset. Any thread
  /// may write it, but one at a time. Call it on this thread only. Throws std::bad_alloc.
  WorkerStats& add_part();

  /// Calls `visit` with this and with each part. Thread: any.
  template <typename Visit>
  void for_each_part(Visit visit) const {
    for (const WorkerStats* part = this; part != nullptr; part = part->next_part_.load()) {
      visit(*part);
    }
  }

 private:
  std::atomic<WorkerStats*> next_part_ = nullptr;
};

/// Return a counter of `stats`, including its parts. Thread: any.
std::uint64_t total(const WorkerStats& stats, Counter WorkerStats::*counter);
std::uint64_t total(const WorkerStats& stats, Call call);
std::uint64_t total_ns(const WorkerStats& stats, Call call);

}  // namespace muxlab
