#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace muxlab::faults {

/// Where a fault can strike: calls of one kind, whatever their name.
enum class Site : std::uint8_t {
  receive,   ///< recv, readv, read of a socket, a receive of io_uring
  send,      ///< send, writev, write to a socket, a send of io_uring
  accept,    ///< accept4, an accept of io_uring
  wait,      ///< select, poll, epoll_wait, epoll_pwait, io_uring_enter
  read,      ///< other reads: event and timer descriptors, pipes
  write,     ///< other writes: the same
  enter,     ///< io_uring_enter alone
  control,   ///< epoll_ctl of a connection, a poll request of io_uring for one
  thread,    ///< pthread_create
  allocate,  ///< malloc and its kin
};
inline constexpr std::size_t kSites = 10;

/// The faults of one site. Zero means none.
struct SiteFaults {
  std::atomic<int> error;            ///< errno of the failing calls, which are not made
  std::atomic<std::uint64_t> every;  ///< every Nth call fails; 0: none
  std::atomic<std::uint64_t> left;   ///< failures left
  std::atomic<std::uint64_t> calls;  ///< calls while `every` was set
  std::atomic<std::uint64_t> hits;   ///< failed calls of those
  std::atomic<std::uint64_t> most;   ///< bytes that a call may move; 0: all

  /// Fails every `one_in`th call with `with`, at most `times` times.
  void fail(int with, std::uint64_t one_in = 1, std::uint64_t times = UINT64_MAX) {
    calls = 0;
    hits = 0;
    error = with;
    left = times;
    every = one_in;
  }
  void stop_failing() { every = 0; }

  /// Counts a call. Returns true when the shim must fail it.
  bool strikes() {
    const std::uint64_t period = every;
    if (period == 0 || ++calls % period != 0) return false;
    std::uint64_t times = left;
    while (times > 0 && !left.compare_exchange_weak(times, times - 1)) {
    }
    if (times == 0) return false;
    ++hits;
    return true;
  }
};

/// Shared memory of the tests and of the shim in the server process. With all zeros, every call
/// passes.
struct FaultPlan {
  std::array<SiteFaults, kSites> sites;
  std::atomic<bool> replay;         ///< waiting reports a socket again, without a cause
  std::atomic<bool> accept_singly;  ///< io_uring: one-shot instead of multishot accepts
  std::atomic<bool> stall;          ///< the first thread that receives blocks
  std::atomic<bool> stalled;        ///< that thread blocks
  std::atomic<int> close_at_wait;   ///< a descriptor to close behind the server's back; 0: none
  std::atomic<std::int64_t> wall_clock_offset_s;  ///< added to the wall clock

  SiteFaults& operator[](Site site) { return sites[static_cast<std::size_t>(site)]; }
};

/// The environment variable that names the file with the plan.
inline constexpr const char* kPlanVariable = "MUXLAB_FAULT_PLAN";

/// Returns the plan that the environment names, for the shims; null without a name.
inline FaultPlan* plan_of_the_tests() {
  const char* const path = ::getenv(kPlanVariable);
  if (path == nullptr) return nullptr;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  void* const page = ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) ::abort();
  ::close(fd);
  return static_cast<FaultPlan*>(page);
}

}  // namespace muxlab::faults
