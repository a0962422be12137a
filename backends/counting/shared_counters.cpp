#include "backends/counting/shared_counters.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>

#include "backends/parts/failure.hpp"

namespace muxlab {

/// The layout of the file: the counters follow, one set after the other. Pages that no thread uses
/// take no memory. A set is constructed when it is taken; before, its zeros count nothing.
struct CounterPool::Memory {
  std::atomic<std::uint32_t> taken;

  [[nodiscard]] std::byte* place_of(std::uint32_t index) {
    return reinterpret_cast<std::byte*>(this) + kCountersBegin + index * sizeof(WorkerStats);
  }
  [[nodiscard]] const WorkerStats& at(std::uint32_t index) const {
    return *std::launder(reinterpret_cast<const WorkerStats*>(
        reinterpret_cast<const std::byte*>(this) + kCountersBegin + index * sizeof(WorkerStats)));
  }
  static constexpr std::size_t kCountersBegin = alignof(WorkerStats);
};

namespace {

/// For this process alone: its threads, whose parts are on the heap.
constexpr std::uint32_t kOwnCapacity = 2'048;
/// Shared: includes the parts of as many connections as one process can have.
constexpr std::uint32_t kSharedCapacity = 1 << 20;

constexpr std::size_t size_for(std::uint32_t capacity) {
  return alignof(WorkerStats) + capacity * sizeof(WorkerStats);
}
constexpr std::size_t kSharedSize = size_for(kSharedCapacity);

void* map(int fd, std::size_t size, int protection) {
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  void* const memory = ::mmap(nullptr, size, protection, flags, fd, 0);
  if (memory == MAP_FAILED) throw_errno("mmap of the counters");
  return memory;
}

}  // namespace

CounterPool::CounterPool(int fd)
    : is_shared_(fd >= 0), capacity_(is_shared_ ? kSharedCapacity : kOwnCapacity) {
  struct stat file {};
  if (is_shared_ && (::fstat(fd, &file) < 0 || file.st_size != off_t{kSharedSize})) {
    throw Failure(ExitCode::usage,
                  "--counters: the descriptor is not a file for the counters of this build of "
                  "muxlab");
  }
  memory_ = static_cast<Memory*>(map(fd, size_for(capacity_), PROT_READ | PROT_WRITE));
}

/// Leaves shared counters, with their parts, as they are for the reader.
CounterPool::~CounterPool() {
  for (std::uint32_t i = 0; !is_shared_ && i < memory_->taken.load(); ++i) {
    std::destroy_at(std::launder(reinterpret_cast<WorkerStats*>(memory_->place_of(i))));
  }
  ::munmap(memory_, size_for(capacity_));
}

WorkerStats& CounterPool::take() {
  std::uint32_t mine = memory_->taken.load();
  do {
    if (mine == capacity_) throw std::bad_alloc();
  } while (!memory_->taken.compare_exchange_weak(mine, mine + 1));
  auto* const stats = new (memory_->place_of(mine)) WorkerStats;
  if (is_shared_) stats->pool = this;
  return *stats;
}

UniqueFd make_counter_file() {
  UniqueFd fd(checked(::memfd_create("muxlab-counters", MFD_CLOEXEC), "memfd_create"));
  checked(::ftruncate(fd.get(), off_t{kSharedSize}), "ftruncate");
  return fd;
}

CounterReader::CounterReader(int fd)
    : memory_(static_cast<CounterPool::Memory*>(map(fd, kSharedSize, PROT_READ))) {}

CounterReader::~CounterReader() {
  ::munmap(const_cast<CounterPool::Memory*>(memory_), kSharedSize);
}

CounterSums CounterReader::read() const {
  const std::uint32_t taken = std::min(memory_->taken.load(), kSharedCapacity);
  CounterSums sums;
  for (std::uint32_t i = 0; i < taken; ++i) {
    const WorkerStats& stats = memory_->at(i);
    sums.echoes += stats.echoes.get();
    sums.bytes_in += stats.bytes_in.get();
    sums.bytes_out += stats.bytes_out.get();
    sums.events += stats.events.get();
    for (std::size_t kind = 0; kind < kCallNames.size(); ++kind) {
      sums.calls[kind] += stats.calls[kind].get();
    }
    if (stats.observer != nullptr) {  // a pointer of the other process: null or not
      for (std::size_t kind = 0; kind < kCallNames.size(); ++kind) {
        sums.call_ns[kind] += stats.call_ns[kind].get();
      }
      sums.clock_ns += stats.clock_ns.get();
    }
    if (stats.sleeps_in_any_call) {
      sums.receives_ahead += stats[Call::read].get() - stats.echoes.get();
    }
  }
  return sums;
}

}  // namespace muxlab
