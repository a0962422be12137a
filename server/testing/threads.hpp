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

/// Reads the state of a process's threads from proc(5).
namespace muxlab::test {

/// Returns how often each thread of `process`, except `except`, has gone to sleep. Sets `busy`, if
/// given, when one of them is awake now.
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

/// Returns true when every other thread of this process is asleep, so no work is pending. A thread
/// that is asleep twice with an unchanged count has slept all the time in between, so at one moment
/// all of them slept.
inline bool others_sleep() {
  bool busy = false;
  const auto before = sleeps_of_threads(::getpid(), ::gettid(), &busy);
  return !busy && before == sleeps_of_threads(::getpid(), ::gettid(), &busy) && !busy;
}

}  // namespace muxlab::test
