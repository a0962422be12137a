#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "backends/counting/call_observer.hpp"

namespace muxlab {

/// A number that one thread adds to and any thread may read: a plain addition, no locked
/// instruction.
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

/// What one thread did. Written by that thread alone, on cache lines of its own.
///
/// Where other threads work for this one, each of them has a part of its own, and total() is what
/// to read.
struct alignas(64) WorkerStats {
  WorkerStats() = default;
  WorkerStats(const WorkerStats&) = delete;
  WorkerStats& operator=(const WorkerStats&) = delete;
  ~WorkerStats();

  Counter accepted;   ///< connections this thread began to serve
  Counter closed;     ///< of those, how many are over
  Counter refused;    ///< connections accepted only to be closed at once
  Counter echoes;     ///< times that all of what one receive brought was sent back
  Counter bytes_in;   ///< bytes received
  Counter bytes_out;  ///< bytes sent back
  std::array<Counter, kCallNames.size()> calls;  ///< system calls by kind, indexed by Call
  Counter events;  ///< descriptors and completions that the calls which wait have brought
  std::array<Counter, kCallNames.size()> call_ns;  ///< the time in them; zero unless timed
  Counter clock_ns;  ///< what it took to read the clocks for that, beside call_ns

  /// Set before the thread begins: what else is to be known of its calls; null: nothing.
  const CallObserver* observer = nullptr;
  CounterPool* pool = nullptr;  ///< shared memory, which has and owns its parts too; null: the heap
  bool sleeps_in_any_call = false;  ///< as blocking calls do; else only in those that wait

  [[nodiscard]] bool is_timed() const { return observer != nullptr && observer->clocks; }
  Counter& operator[](Call call) { return calls[static_cast<std::size_t>(call)]; }
  const Counter& operator[](Call call) const { return calls[static_cast<std::size_t>(call)]; }

  /// A part, observed as this is, which lives as long as this. One thread at a time may write it,
  /// whichever that is; it is never reset. To be called by this thread alone. Throws
  /// std::bad_alloc.
  WorkerStats& add_part();

  /// Calls `visit` with this and with each part. Any thread.
  template <typename Visit>
  void for_each_part(Visit visit) const {
    for (const WorkerStats* part = this; part != nullptr; part = part->next_part_.load()) {
      visit(*part);
    }
  }

 private:
  std::atomic<WorkerStats*> next_part_ = nullptr;
};

/// A counter of `stats`, its parts included. Any thread.
std::uint64_t total(const WorkerStats& stats, Counter WorkerStats::*counter);
std::uint64_t total(const WorkerStats& stats, Call call);
std::uint64_t total_ns(const WorkerStats& stats, Call call);

}  // namespace muxlab
