#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/process.hpp"
#include "backends/parts/unique_fd.hpp"

/// Runs the program as a user does: with its output and its exit code.
namespace muxlab::test {

struct Outcome {
  int exit_code;
  std::string output;  ///< stdout and, unless redirected, stderr
};

/// Runs a shell command to its end.
inline Outcome run_command(const std::string& command) {
  FILE* const pipe = ::popen(command.c_str(), "r");
  Outcome outcome{.exit_code = -1, .output = {}};
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) outcome.output += buffer.data();
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

/// Runs the program to its end; `prefix` is shell code before it, such as a ulimit.
inline Outcome run(const std::string& arguments, const std::string& prefix = "",
                   const std::string& suffix = "2>&1") {
  return run_command(fmt::format("{} {} {} {}", prefix, MUXLAB_BINARY, arguments, suffix));
}

/// Returns a prefix for run() that drops all capabilities; empty unless the user is root.
inline std::string without_privileges() {
  return ::geteuid() == 0 ? "setpriv --bounding-set=-all --inh-caps=-all" : "";
}

/// Makes the kernel fail the system calls `calls` with `error`, in this process and in programs
/// that it executes.
inline void forbid(const std::vector<long>& calls, int error) {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const long call : calls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/// Runs run_command() where these calls fail with `error`.
inline Outcome run_command_without(const std::vector<long>& calls, int error,
                                   const std::string& command) {
  std::array<int, 2> ends{};
  checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t child = checked(::fork(), "fork");
  if (child == 0) {
    forbid(calls, error);
    ::dup2(writer.get(), STDOUT_FILENO);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  writer.reset();
  Outcome outcome{.exit_code = -1, .output = {}};
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; (n = ::read(reader.get(), buffer.data(), buffer.size())) > 0;) {
    outcome.output.append(buffer.data(), static_cast<std::size_t>(n));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  return outcome;
}

/// Runs run() where these calls fail with `error`.
inline Outcome run_without(const std::vector<long>& calls, int error,
                           const std::string& arguments) {
  return run_command_without(calls, error, fmt::format("{} {} 2>&1", MUXLAB_BINARY, arguments));
}
inline Outcome run_command_without_io_uring(const std::string& command, int error) {
  return run_command_without({SYS_io_uring_setup}, error, command);
}
inline Outcome run_without_io_uring(const std::string& arguments, int error) {
  return run_without({SYS_io_uring_setup}, error, arguments);
}

/// Returns why the shell `command` cannot set up a test's surroundings; empty when it can.
inline std::string why_not_permitted(const std::string& command) {
  const Outcome outcome = run_command(command + " 2>&1");
  return outcome.exit_code == 0
             ? ""
             : fmt::format("{}: {}", command, outcome.output.substr(0, outcome.output.find('\n')));
}

}  // namespace muxlab::test

/// Runs a program with words instead of a shell command, and keeps stdout and stderr apart.
namespace muxlab {

/// The exit code and the output of a program.
struct Said {
  int exit_code;
  std::string output;
  std::string errors;
};

/// Runs a command to its end, in `folder` unless that is empty.
inline Said run_command(std::vector<std::string> words, const std::string& folder = "") {
  Process process(Command{
      .words = std::move(words), .processors = {}, .folder = folder, .shares_environment = true});
  const auto ended = [&] { return process.exit_code().has_value(); };
  wait_for(process, -1, Clock::now() + std::chrono::seconds(120), ended);
  return {process.exit_code().value_or(-1), process.output().text(), process.errors().text()};
}

inline Said run_muxlab(const std::vector<std::string>& words) {
  std::vector<std::string> command = {MUXLAB_BINARY};
  command.insert(command.end(), words.begin(), words.end());
  return run_command(std::move(command));
}

/// Returns true when unshare(1) with `options` works on this machine.
inline bool may_unshare(const std::string& options) {
  return std::system(("unshare " + options + " true >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace muxlab
