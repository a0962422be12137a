#include "bench/canary.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "bench/process_pipe.hpp"

namespace muxlab {
namespace {

/// Runs the calling thread on one processor while it lives.
class OnProcessor {
 public:
  explicit OnProcessor(int processor) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(processor), &one);
    is_there_ = ::sched_getaffinity(0, sizeof before_, &before_) == 0 &&
                ::sched_setaffinity(0, sizeof one, &one) == 0;
  }
  OnProcessor(const OnProcessor&) = delete;
  OnProcessor& operator=(const OnProcessor&) = delete;
  ~OnProcessor() {
    if (is_there_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  explicit operator bool() const { return is_there_; }

 private:
  cpu_set_t before_{};
  bool is_there_;
};

}  // namespace

double canary_ns(int processor) {
  constexpr int kRuns = 5;
  constexpr int kPairs = 200;
  constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
  const OnProcessor there(processor);
  if (!there) return kNotMeasured;
  const Pipe pipe = make_pipe();
  double least = std::numeric_limits<double>::infinity();
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    for (int pair = 0; pair < kPairs; ++pair) {
      char byte = 0;
      if (::write(pipe.write_end.get(), &byte, 1) != 1) return kNotMeasured;
      if (::read(pipe.read_end.get(), &byte, 1) != 1) return kNotMeasured;
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    least = std::min(least, took.count() / kPairs);
  }
  return least;
}

double canary_ns(const Processors& processors) {
  return canary_ns(processors.server.empty() ? ::sched_getcpu() : processors.server.front());
}

}  // namespace muxlab
