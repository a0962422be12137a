#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "backends/counting/worker_stats.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// Makes an empty file for the counters of one server. Throws std::system_error.
UniqueFd make_counter_file();

/// Memory for the counters of all threads of a server. Another process can read them while the
/// server runs, without a signal and without the server noticing.
///
/// The memory is a file that the reader makes with make_counter_file() and the server inherits; see
/// memfd_create(2). Thread: any may call take().
class CounterPool {
 public:
  /// Maps `fd`, which must come from make_counter_file(); -1 means memory of this process alone.
  /// Throws std::system_error, or Failure (usage) if `fd` is not such a file.
  explicit CounterPool(int fd);
  CounterPool(const CounterPool&) = delete;
  CounterPool& operator=(const CounterPool&) = delete;
  ~CounterPool();

  /// Returns new counters, all zero, which live as long as the pool. Consecutive calls return
  /// neighbours if no other thread calls in between. Throws std::bad_alloc if the memory is full.
  WorkerStats& take();

 private:
  friend class CounterReader;
  friend UniqueFd make_counter_file();
  struct Memory;
  bool is_shared_;
  std::uint32_t capacity_;
  Memory* memory_;
};

/// Sums over all threads of a server, since it started.
struct CounterSums {
  std::uint64_t echoes = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t events = 0;
  std::array<std::uint64_t, kCallNames.size()> calls{};
  std::array<std::uint64_t, kCallNames.size()> call_ns{};  ///< zero unless calls are timed
  std::uint64_t clock_ns = 0;
  /// Receives begun minus echoes, of threads that block in a receive. A blocked thread is one
  /// ahead; a serving one has as many of both for a moment.
  std::uint64_t receives_ahead = 0;

  bool operator==(const CounterSums&) const = default;
};

/// Reads a CounterPool from another process of the same build.
class CounterReader {
 public:
  /// Maps `fd`, from make_counter_file(). Throws std::system_error.
  explicit CounterReader(int fd);
  CounterReader(const CounterReader&) = delete;
  CounterReader& operator=(const CounterReader&) = delete;
  ~CounterReader();

  /// Returns the sums now. They are exact while the server sleeps. While it works they are not of
  /// one moment.
  [[nodiscard]] CounterSums read() const;

 private:
  const CounterPool::Memory* memory_;
};

}  // namespace muxlab
