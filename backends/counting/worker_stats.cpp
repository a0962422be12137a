#include "backends/counting/worker_stats.hpp"

#include <utility>

#include "backends/counting/shared_counters.hpp"

namespace muxlab {

WorkerStats::~WorkerStats() {
  if (pool != nullptr) return;
  for (WorkerStats* part = next_part_.load(); part != nullptr;) {
    delete std::exchange(part, part->next_part_.exchange(nullptr));
  }
}

/// Inserts the part in front. A concurrent reader sees it or does not, and nothing in between.
WorkerStats& WorkerStats::add_part() {
  auto* const part = pool != nullptr ? &pool->take() : new WorkerStats;
  part->observer = observer;
  part->next_part_ = next_part_.load();
  next_part_ = part;
  return *part;
}

std::uint64_t total(const WorkerStats& stats, Counter WorkerStats::*counter) {
  std::uint64_t sum = 0;
  stats.for_each_part([&](const WorkerStats& part) { sum += (part.*counter).get(); });
  return sum;
}

std::uint64_t total(const WorkerStats& stats, Call call) {
  std::uint64_t sum = 0;
  stats.for_each_part([&](const WorkerStats& part) { sum += part[call].get(); });
  return sum;
}

std::uint64_t total_ns(const WorkerStats& stats, Call call) {
  std::uint64_t sum = 0;
  stats.for_each_part(
      [&](const WorkerStats& part) { sum += part.call_ns[static_cast<std::size_t>(call)].get(); });
  return sum;
}

}  // namespace muxlab
