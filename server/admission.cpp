#include "server/admission.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>

#include "backends/parts/say.hpp"

namespace muxlab {

bool Admission::enter() {
  std::uint64_t free = free_.load(std::memory_order_acquire);
  while (free > 0) {
    if (free_.compare_exchange_weak(free, free - 1, std::memory_order_acquire)) return true;
  }
  return false;
}

namespace {

/// Allocates nothing, because memory may be the shortage.
const char* cure_of(int error) {
  if (error == EMFILE) return "ulimit -n and --max-connections";
  return error == ENFILE ? "sysctl fs.file-max, of the whole machine"
                         : "the memory of the machine and of its control group";
}

}  // namespace

void Admission::report_shortage(int error) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  const std::int64_t now_ns = std::chrono::steady_clock::now().time_since_epoch().count();
  std::int64_t before_ns = reported_at_ns_.load();
  if (now_ns - before_ns < kSecondNs) return;
  if (!reported_at_ns_.compare_exchange_strong(before_ns, now_ns)) return;
  say_at_once("accepting pauses: {}; see {}", ::strerrordesc_np(error), cure_of(error));
}

}  // namespace muxlab
