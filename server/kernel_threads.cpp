#include "server/kernel_threads.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace muxlab {

std::optional<std::array<std::uint64_t, kKernelThreadNames.size()>> kernel_threads_cpu_ns() {
  constexpr std::size_t kMaxThreadsToAsk = 64;
  std::array<std::uint64_t, kKernelThreadNames.size()> cpu_ns{};
  std::size_t threads = 0;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    if (++threads > kMaxThreadsToAsk) return std::nullopt;
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    for (std::size_t kind = 0; kind < kKernelThreadNames.size(); ++kind) {
      if (!name.starts_with(kKernelThreadNames[kind])) continue;
      std::uint64_t ran_ns = 0;
      std::ifstream schedstat(thread.path() / "schedstat");
      if (!(schedstat >> ran_ns)) return std::nullopt;
      cpu_ns[kind] += ran_ns;
    }
  }
  return cpu_ns;
}

}  // namespace muxlab
