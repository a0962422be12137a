#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

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

/// Takes what has come on `fd`.
void take_from(int fd);

}  // namespace muxlab
