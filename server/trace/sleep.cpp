#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

#include "backends/parts/failure.hpp"
#include "server/kernel_threads.hpp"
#include "server/trace/log.hpp"

namespace muxlab::trace {
namespace {

/// Returns the current content of the file; empty without a file or when the thread has ended.
std::string read_anew(const UniqueFd& file) {
  std::array<char, 1024> buffer{};
  const ssize_t size = file ? ::pread(file.get(), buffer.data(), buffer.size(), 0) : 0;
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

/// Reads the state letter after the name, which may contain any character.
bool seems_asleep(const UniqueFd& stat) {
  const std::string text = read_anew(stat);
  const std::size_t end_of_name = text.rfind(')');
  return end_of_name != std::string::npos && text.compare(end_of_name + 1, 2, " S") == 0;
}

}  // namespace

SleepWatch::SleepWatch()
    : stat_(::open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC)),
      syscall_(::open("/proc/thread-self/syscall", O_RDONLY | O_CLOEXEC)) {}

/// A thread that is about to sleep already has the state S, and may find that it need not sleep.
/// Only the file `syscall` shows whether it has left the processor. That file does not distinguish
/// a sleep from a stop, so both files are read.
bool SleepWatch::is_asleep() const {
  return seems_asleep(stat_) && !read_anew(syscall_).starts_with("running") && seems_asleep(stat_);
}

ThreadList::ThreadList() : folder_(::opendir("/proc/self/task")) {
  if (!folder_) throw_errno("opendir");
}

std::vector<pid_t> ThreadList::ids() const {
  std::vector<pid_t> threads;
  ::rewinddir(folder_.get());
  while (const dirent* const entry = ::readdir(folder_.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    pid_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    if (id > 0) threads.push_back(id);
  }
  return threads;
}

bool is_kernel_thread(pid_t thread) {
  std::string name;
  std::ifstream(fmt::format("/proc/self/task/{}/comm", thread)) >> name;
  return std::ranges::any_of(kKernelThreadNames,
                             [&](std::string_view known) { return name.starts_with(known); });
}

}  // namespace muxlab::trace
