#pragma once

#include <chrono>
#include <string>

#include "server/testing/program.hpp"
#include "server/testing/server_process.hpp"

/// Where the tests find the programs of the tutorial, and how they run them.
namespace muxlab::test {

/// Only a program that hangs takes that long.
constexpr std::chrono::minutes kLong(2);

inline std::string tutorial_program(const std::string& name) {
  return std::string(MUXLAB_TUTORIAL_DIR) + '/' + name;
}

/// For ServerProcess: a server of the tutorial instead of muxlab.
inline Surroundings tutorial_server(const std::string& name) {
  // thread_echo may be told to end while it has started a thread and not detached it yet.
  return {.environment = {"TSAN_OPTIONS=report_thread_leaks=0"},
          .command = {tutorial_program(name)}};
}

/// Runs a demonstration to its end; `prefix` is shell to run before it.
inline Outcome run_demo(const std::string& name, const std::string& prefix = "") {
  return run_command(prefix + " timeout 120 " + tutorial_program(name) + " 2>&1");
}

}  // namespace muxlab::test
