#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "backends/counting/worker_stats.hpp"
#include "backends/parts/unique_fd.hpp"

namespace muxlab {

/// An empty file for the counters of one server. Throws std::system_error.
UniqueFd make_counter_file();

/// Memory that holds the counters of all threads of a server, so that another process can read them
/// while the server runs: without a signal, and without the server noticing.
///
/// The memory is a file, made by the reader with make_counter_file() and inherited by the server;
/// see memfd_create(2). Any thread may call take().
class CounterPool {
 public:
  /// Maps `fd`, which must come from make_counter_file(); -1: memory of this process alone. Throws
  /// std::system_error, or Failure (usage) when `fd` is not such a file.
  explicit CounterPool(int fd);
  CounterPool(const CounterPool&) = delete;
  CounterPool& operator=(const CounterPool&) = delete;
  ~CounterPool();

  /// New counters, all zero, which live as long as the pool. Consecutive calls return neighbours
  /// when no other thread calls. Throws std::bad_alloc when the memory is used up.
  WorkerStats& take();

 private:
  friend class CounterReader;
  friend UniqueFd make_counter_file();
  struct Memory;
  bool is_shared_;
  std::uint32_t capacity_;
  Memory* memory_;
};

/// All threads of a server together, since it started.
struct CounterSums {
  std::uint64_t echoes = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t events = 0;
  std::array<std::uint64_t, kCallNames.size()> calls{};
  std::array<std::uint64_t, kCallNames.size()> call_ns{};  ///< zero unless calls are timed
  std::uint64_t clock_ns = 0;
  /// Of threads that block in a receive: receives begun, less echoes. While such a thread serves it
  /// has as many of both for a moment, and when it is blocked again it is one ahead.
  std::uint64_t receives_ahead = 0;

  bool operator==(const CounterSums&) const = default;
};

/// The reader's side of a CounterPool, in another process of the same build.
class CounterReader {
 public:
  /// Maps `fd`, from make_counter_file(). Throws std::system_error.
  explicit CounterReader(int fd);
  CounterReader(const CounterReader&) = delete;
  CounterReader& operator=(const CounterReader&) = delete;
  ~CounterReader();

  /// The sums now. While the server works they are not of one moment; when it sleeps they are
  /// exact.
  [[nodiscard]] CounterSums read() const;

 private:
  const CounterPool::Memory* memory_;
};

}  // namespace muxlab
