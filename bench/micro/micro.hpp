#pragma once

#include <benchmark/benchmark.h>

#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/poller.hpp"

namespace muxlab {

/// A way of waiting on its own, without a server around it: what all benchmarks of waiting drive.
/// Used by one thread; borrows descriptors, which outlive it.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  virtual ~Waiter() = default;

  /// To wait for something to read.
  virtual void add(int fd) = 0;
  /// To wait for something else from now on.
  virtual void modify(int fd, Interest interest) = 0;
  virtual void remove(int fd) = 0;

  /// A byte is on its way to `fd`: only the oracle listens.
  virtual void tell(int /*fd*/) {}

  /// Waits once, and takes what has come on all that are ready. How many were.
  virtual std::size_t take_ready() = 0;
};

/// How to make one.
struct Mechanism {
  std::string name;
  std::function<std::unique_ptr<Waiter>()> make;
  int max_descriptor = std::numeric_limits<int>::max();
};

/// Every Poller of the registry, libevent's event API on each of its methods, and the oracle, which
/// never waits: the floor below them all. Those that this machine lacks are left out.
std::vector<Mechanism> mechanisms();

/// Registers what only the machine can tell: benchmarks of each mechanism that it has. The caller
/// keeps the argument alive until all have run.
///
/// wait/NAME/registered:N/active:A: one turn in which A of N descriptors become ready, wherever
/// they are; in processor time of the thread.
/// add_and_remove/NAME/registered:N and modify_and_back/NAME: to change what is waited for.
void register_mechanism_benchmarks(std::span<const Mechanism> mechanisms);

/// The processor time of this thread. A wait for thousands may take longer than the scheduler lets
/// a thread run, so that time by the wall would have in it what others did meanwhile.
inline double thread_cpu_s() {
  timespec now{};
  checked(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), "clock_gettime");
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace muxlab
