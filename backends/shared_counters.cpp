#include "backends/shared_counters.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "backends/failure.hpp"

namespace muxlab {

/// The layout of the file. Pages that no thread uses take no memory.
struct CounterPool::Memory {
  static constexpr std::uint32_t kCapacity = 1 << 16;  // well above the descriptors of a process

  std::atomic<std::uint32_t> taken;
  /// Not constructed until they are taken; a file of zeros is a set of counters at zero.
  alignas(WorkerStats) std::byte counters[kCapacity][sizeof(WorkerStats)];

  [[nodiscard]] const WorkerStats& at(std::uint32_t index) const {
    return *std::launder(reinterpret_cast<const WorkerStats*>(counters[index]));
  }
};

namespace {

void* map(int fd, std::size_t size, int protection) {
  const int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  void* const memory = ::mmap(nullptr, size, protection, flags, fd, 0);
  if (memory == MAP_FAILED) throw_errno("mmap of the counters");
  return memory;
}

}  // namespace

CounterPool::CounterPool(int fd) {
  struct stat file {};
  if (fd >= 0 && (::fstat(fd, &file) < 0 || file.st_size != off_t{sizeof(Memory)})) {
    throw Failure(ExitCode::usage,
                  "--counters: the descriptor is not a file for the counters of "
                  "this build of muxlab");
  }
  memory_ = static_cast<Memory*>(map(fd, sizeof(Memory), PROT_READ | PROT_WRITE));
}

CounterPool::~CounterPool() { ::munmap(memory_, sizeof(Memory)); }

WorkerStats& CounterPool::take() {
  const std::uint32_t index = memory_->taken.load();
  if (index >= Memory::kCapacity) throw std::bad_alloc();
  const std::uint32_t mine = memory_->taken.fetch_add(1);
  if (mine >= Memory::kCapacity) throw std::bad_alloc();
  auto* const stats = new (memory_->counters[mine]) WorkerStats;
  stats->pool = this;
  return *stats;
}

UniqueFd make_counter_file() {
  UniqueFd fd(checked(::memfd_create("muxlab-counters", MFD_CLOEXEC), "memfd_create"));
  checked(::ftruncate(fd.get(), off_t{sizeof(CounterPool::Memory)}), "ftruncate");
  return fd;
}

CounterReader::CounterReader(int fd)
    : memory_(static_cast<CounterPool::Memory*>(map(fd, sizeof(CounterPool::Memory), PROT_READ))) {}

CounterReader::~CounterReader() {
  ::munmap(const_cast<CounterPool::Memory*>(memory_), sizeof(CounterPool::Memory));
}

CounterSums CounterReader::read() const {
  const std::uint32_t taken = std::min(memory_->taken.load(), CounterPool::Memory::kCapacity);
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
  }
  return sums;
}

}  // namespace muxlab
