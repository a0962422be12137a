#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

/// What the threads of a process are about, as proc(5) tells it.
namespace muxlab::test {

/// How often each thread of `process`, but for `except`, has gone to sleep; in `busy`, if given,
/// whether one of them is not asleep now.
inline std::map<pid_t, std::uint64_t> sleeps_of_threads(pid_t process, pid_t except,
                                                        bool* busy = nullptr) {
  constexpr std::string_view kState = "State:";
  constexpr std::string_view kSleeps = "voluntary_ctxt_switches:";
  std::map<pid_t, std::uint64_t> sleeps;
  const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    const pid_t id = std::stoi(task.path().filename());
    if (id == except) continue;
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      const std::string_view text = line;
      if (text.starts_with(kState) && busy != nullptr)
        *busy |= text.find("S (") == std::string_view::npos;
      if (text.starts_with(kSleeps)) sleeps[id] = std::stoull(line.substr(kSleeps.size()));
    }
  }
  return sleeps;
}

/// True when every thread of this process but the calling one is asleep, so that nothing is left
/// to be done for what has happened so far. A thread that was asleep twice and has not gone to
/// sleep between has slept all the time, and so at one moment all of them did.
inline bool others_sleep() {
  bool busy = false;
  const auto before = sleeps_of_threads(::getpid(), ::gettid(), &busy);
  return !busy && before == sleeps_of_threads(::getpid(), ::gettid(), &busy) && !busy;
}

}  // namespace muxlab::test
