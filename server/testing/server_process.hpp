#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "backends/parts/failure.hpp"
#include "backends/parts/unique_fd.hpp"
#include "server/testing/client.hpp"

namespace muxlab::test {

/// Returns the program under test: MUXLAB_PROGRAM if set, or the one that was built.
inline std::string program() {
  const char* const other = ::getenv("MUXLAB_PROGRAM");
  return other != nullptr ? other : MUXLAB_BINARY;
}

/// Returns a free port below the range that the kernel picks from. A picked port may be taken by
/// another test's connection before a test restarts its server on it.
inline std::string lasting_port() {
  int first_given = 32768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_given;
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<int> below(1024, first_given - 1);
  for (;;) {
    const UniqueFd socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int port = below(random);
    name.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) {
      return std::to_string(port);
    }
  }
}

/// The surroundings of a server process, besides its options.
struct Surroundings {
  std::vector<std::string> environment = {};                ///< NAME=VALUE
  rlim_t descriptors = 0;                                   ///< RLIMIT_NOFILE; 0: as ours
  std::vector<std::string> command = {program(), "serve"};  ///< takes the options
  std::function<void()> prepare = {};                       ///< called in the child, before exec
};

/// Runs `muxlab serve` in a process for the test to stop, starve and inspect. Kills it at the end.
class ServerProcess {
 public:
  /// Starts the program. listens() waits for its first line.
  explicit ServerProcess(const std::vector<std::string>& options, const Surroundings& around = {}) {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    output_.reset(ends[0]);
    const UniqueFd output_writer(ends[1]);
    errors_.reset(checked(::memfd_create("stderr", MFD_CLOEXEC), "memfd_create"));
    pid_ = checked(::fork(), "fork");
    if (pid_ == 0) run(options, around, output_writer.get());
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    if (exit_code_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  /// Reads the listening line. Returns false when the server printed none.
  bool listens() {
    greeting_ = line();
    constexpr std::string_view kListening = "listening on ";
    if (!greeting_.starts_with(kListening)) return false;
    const auto begin = kListening.size();
    address_ = greeting_.substr(begin, greeting_.find(' ', begin) - begin);
    return true;
  }
  [[nodiscard]] const std::string& greeting() const { return greeting_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::string port() const { return address_.substr(address_.rfind(':') + 1); }
  [[nodiscard]] pid_t pid() const { return pid_; }

  void signal(int number) const {
    if (!exit_code_) ::kill(pid_, number);
  }

  /// Returns the next line of its stdout; empty at the end or after patience().
  std::string line() {
    for (;;) {
      if (const auto end = text_.find('\n'); end != std::string::npos) {
        std::string first = text_.substr(0, end);
        text_.erase(0, end + 1);
        return first;
      }
      pollfd waited{.fd = output_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&waited, 1, static_cast<int>(patience().tv_sec) * 1000) <= 0) return "";
      std::array<char, 4096> buffer{};
      const ssize_t size = ::read(output_.get(), buffer.data(), buffer.size());
      if (size <= 0) return "";
      text_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  /// Returns its counters now. Requires: started with `--stats -`.
  nlohmann::json stats() {
    signal(SIGUSR1);
    return nlohmann::json::parse(line(), nullptr, false);
  }

  /// Waits for the end. Returns the exit code, or minus the signal, or nothing while it runs.
  std::optional<int> wait(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!exit_code_) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
      } else if (std::chrono::steady_clock::now() > deadline) {
        return std::nullopt;
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    return exit_code_;
  }
  [[nodiscard]] bool has_ended() const { return exit_code_.has_value(); }

  /// Returns its stderr so far.
  [[nodiscard]] std::string errors() const {
    std::string text(1 << 16, '\0');
    const ssize_t size = ::pread(errors_.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  /// Returns the CPU time of all its threads.
  [[nodiscard]] std::chrono::nanoseconds cpu_time() const {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(pid_, &clock) == 0) ::clock_gettime(clock, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  }

  [[nodiscard]] std::filesystem::path proc() const {
    return std::filesystem::path("/proc") / std::to_string(pid_);
  }
  [[nodiscard]] std::size_t descriptors() const {
    const std::filesystem::directory_iterator open(proc() / "fd");
    return static_cast<std::size_t>(std::distance(begin(open), end(open)));
  }
  void limit_descriptors(rlim_t soft) const {
    rlimit limit{};
    checked(::prlimit(pid_, RLIMIT_NOFILE, nullptr, &limit), "prlimit");
    limit.rlim_cur = std::min(soft, limit.rlim_max);
    checked(::prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr), "prlimit");
  }

 private:
  [[noreturn]] void run(const std::vector<std::string>& options, const Surroundings& around,
                        int output_writer) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(output_writer, STDOUT_FILENO);
    ::dup2(errors_.get(), STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);  // descriptors inherited from our parent
    if (around.descriptors > 0) {
      const rlimit limit{.rlim_cur = around.descriptors, .rlim_max = around.descriptors};
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (const std::string& variable : around.environment) {
      ::putenv(const_cast<char*>(variable.c_str()));
    }
    if (around.prepare) around.prepare();
    std::vector<const char*> words;
    for (const std::string& word : around.command) words.push_back(word.c_str());
    for (const std::string& option : options) words.push_back(option.c_str());
    words.push_back(nullptr);
    ::execv(words[0], const_cast<char**>(words.data()));
    ::_exit(127);
  }

  pid_t pid_ = -1;
  UniqueFd output_;
  UniqueFd errors_;
  std::string text_;
  std::string greeting_;
  std::string address_;
  std::optional<int> exit_code_;
};

}  // namespace muxlab::test
