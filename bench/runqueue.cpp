#include "bench/runqueue.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace muxlab {

std::optional<double> runqueue_wait_ns(pid_t pid) {
  constexpr std::size_t kMaxThreadsToAsk = 64;
  double sum = 0;
  std::size_t threads = 0;
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    double ran = 0, waited = 0;
    std::ifstream schedstat(thread.path() / "schedstat");
    if (++threads > kMaxThreadsToAsk || !(schedstat >> ran >> waited)) return std::nullopt;
    sum += waited;
  }
  return threads > 0 ? std::optional(sum) : std::nullopt;
}

}  // namespace muxlab
