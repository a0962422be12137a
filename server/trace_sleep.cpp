#include "server/trace_sleep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "server/kernel_threads.hpp"

namespace muxlab::trace {
namespace {

std::string first_line(pid_t thread, const char* file) {
  std::ifstream stream(fmt::format("/proc/self/task/{}/{}", thread, file));
  std::string line;
  std::getline(stream, line);
  return line;
}

/// The letter after the name, which may hold anything.
bool seems_asleep(pid_t thread) {
  const std::string stat = first_line(thread, "stat");
  const std::size_t end_of_name = stat.rfind(')');
  return end_of_name != std::string::npos && stat.compare(end_of_name + 1, 2, " S") == 0;
}

}  // namespace

std::vector<pid_t> threads_of_process() {
  std::vector<pid_t> threads;
  std::error_code error;  // a thread that ends meanwhile
  for (auto entry = std::filesystem::directory_iterator("/proc/self/task", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    pid_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    threads.push_back(id);
  }
  return threads;
}

bool is_kernel_thread(pid_t thread) {
  const std::string name = first_line(thread, "comm");
  return std::ranges::any_of(kKernelThreadNames,
                             [&](std::string_view known) { return name.starts_with(known); });
}

/// A thread that is about to sleep is in that state already, and goes on if it finds that it need
/// not. Whether it has left the processor only the file `syscall` tells, and that does not know a
/// sleep from a stop.
bool is_asleep(pid_t thread) {
  return seems_asleep(thread) && first_line(thread, "syscall") != "running" && seems_asleep(thread);
}

}  // namespace muxlab::trace
