#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "backends/failure.hpp"
#include "backends/unique_fd.hpp"

namespace muxlab::test {

struct Outcome {
  int exit_code;
  std::string output;
  std::string errors;
};

/// `muxlab load` as a process, with descriptor 3 as a pipe for its announcements.
class LoadProcess {
 public:
  explicit LoadProcess(std::vector<std::string> words) {
    words.insert(words.begin(), {MUXLAB_BINARY, "load"});
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<UniqueFd, 3> writers;
    for (std::size_t i = 0; i < writers.size(); ++i) {
      std::array<int, 2> ends{};
      checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
      readers_[i].reset(ends[0]);
      writers[i].reset(::fcntl(ends[1], F_DUPFD_CLOEXEC, 10));  // clear of the numbers wanted below
      ::close(ends[1]);
    }
    pid_ = checked(::fork(), "fork");
    if (pid_ != 0) return;
    for (std::size_t i = 0; i < writers.size(); ++i) {
      ::dup2(writers[i].get(), static_cast<int>(i) + 1);
    }
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  LoadProcess(const LoadProcess&) = delete;
  LoadProcess& operator=(const LoadProcess&) = delete;
  LoadProcess(LoadProcess&&) = delete;
  LoadProcess& operator=(LoadProcess&&) = delete;
  ~LoadProcess() {
    if (pid_ >= 0) end();
  }

  /// Waits for the first byte of an announcement: the window has begun.
  void await_window() {
    char byte = 0;
    EXPECT_EQ(::read(readers_[2].get(), &byte, 1), 1);
  }
  void send(int signal) const { ::kill(pid_, signal); }

  Outcome end() {
    Outcome outcome{.exit_code = 0, .output = read_all(0), .errors = read_all(1)};
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return outcome;
  }

 private:
  std::string read_all(std::size_t which) {
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t size = 1; size > 0;) {
      size = ::read(readers_[which].get(), piece.data(), piece.size());
      if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

  std::array<UniqueFd, 3> readers_;  // of stdout, stderr and the announcements
  pid_t pid_ = -1;
};

}  // namespace muxlab::test
